/**
 * Runs a task now and then every `intervalMs` after it has ended. A failure is told and does not end the repetition.
 *
 * @returns `stop`, which waits for a task that is running
 */
export function repeat(
  intervalMs: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): { stop: () => Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = once();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };

  async function once(): Promise<void> {
    await task().catch(onError);
    if (stopped) return;
    timer = setTimeout(() => {
      running = once();
    }, intervalMs);
  }
}

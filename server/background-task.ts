/**
 * Runs a task beside everything else, once. A failure is told, the end by `stop` is none.
 *
 * @returns `stop`, which ends the task and waits for that
 */
export function inBackground(
  task: (signal: AbortSignal) => Promise<void>,
  onError: (error: unknown) => void,
): { stop: () => Promise<void> } {
  const controller = new AbortController();
  const running = task(controller.signal).catch((error: unknown) => {
    if (!controller.signal.aborted) onError(error);
  });
  return {
    stop: async () => {
      controller.abort();
      await running;
    },
  };
}

/**
 * Runs the body of an entry point. When it throws, one JSON line on standard output tells why, and the process ends with
 * code 1 at once: half-open connections must not keep alive a process that does no work.
 */
export async function runEntryPoint(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    const line = { level: 60, time: Date.now(), msg: cause.message, type: cause.name, stack: cause.stack };
    process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit(1));
  }
}

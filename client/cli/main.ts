import { Interrupted, OutputClosed, runCli } from './run-cli.js';

/** Entry point of the `nucleus` command line. */
const interrupt = new AbortController();
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    // A second one does not wait for what the first has asked to end.
    if (interrupt.signal.aborted) process.exit(exitCode);
    interrupt.abort(new Interrupted(exitCode));
  });
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `nucleus … | head`: the reader has had enough.
    if (error.code !== 'EPIPE') throw error;
    interrupt.abort(new OutputClosed());
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal,
});

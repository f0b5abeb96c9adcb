/**
 * A process that starts a recorded child, as `npm start` does, and then waits to be killed.
 * Arguments: folder for record and log, name of the child, shell script that the child runs.
 */
import { join } from 'node:path';
import { startChild } from '../../scripts/stack/child-process.js';
import { RECORD_SUFFIX } from '../../scripts/stack/process-record.js';

const [folder = '', name = '', script = ''] = process.argv.slice(2);
await startChild({
  name,
  command: '/bin/sh',
  args: ['-c', script],
  env: { PATH: process.env.PATH ?? '' },
  cwd: folder,
  logFile: join(folder, `${name}.log`),
  recordFile: join(folder, `${name}${RECORD_SUFFIX}`),
  stopTimeoutMs: 2_000,
});
// The child keeps us: its exit is awaited by nobody, but its handle holds the event loop open.

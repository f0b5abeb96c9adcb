import { defineCommand, type Session } from '../cli-command.js';
import { type Finding, runChecks } from '../doctor-checks.js';
import { EXIT_CODES } from '../exit-codes.js';

export const doctorCommand = defineCommand({
  command: 'doctor',
  describe: 'Check the server from here: address, stores, token, API, WebSocket, change log',
  positionals: {},
  options: {},
  examples: [
    ['$0 doctor', 'what works and what does not, with what to do'],
    ['$0 doctor --json', 'the same as one JSON value'],
  ],
  run: async (_, session) => {
    const findings = await runChecks(session);
    const failed = findings.find(({ status }) => status === 'failed');
    const report = { url: session.url, healthy: failed === undefined, checks: findings };
    await session.output.result(report, () => findings.map((finding) => lineOf(finding, session)).join('\n'));
    return failed?.exitCode ?? EXIT_CODES.ok;
  },
});

function lineOf({ name, status, detail, remedy }: Finding, { output }: Session): string {
  const colour = { ok: 'green', failed: 'red', skipped: 'dim' } as const;
  const todo = remedy === null ? '' : `\n${' '.repeat(23)}${output.paint('yellow', remedy)}`;
  return `${output.paint(colour[status], status.padEnd(8))}${name.padEnd(15)}${detail}${todo}`;
}

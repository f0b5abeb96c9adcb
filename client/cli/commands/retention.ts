import type { ApplyLineageRetentionInput, ApplyLineageRetentionPayload } from '../../lineage-types.js';
import { OPERATIONS } from '../../operations.js';
import { accepted } from '../accepted.js';
import { defineCommand, type Session } from '../cli-command.js';
import { EXIT_CODES, UsageError } from '../exit-codes.js';

const ACTIONS = ['preview', 'apply'] as const;
const DAY_MS = 86_400_000;

export const retentionCommand = defineCommand({
  command: 'retention <action>',
  describe: 'Count, or remove, old runs and versions of data sets; lineage stays as it is',
  positionals: { action: { choices: ACTIONS, demandOption: true, describe: 'count what would go, or remove it' } },
  options: {
    'older-than': {
      type: 'string',
      describe: 'days such as 90d, or an instant of ISO 8601; left out as the server is set',
      requiresArg: true,
    },
    'keep-runs': {
      type: 'number',
      describe: 'latest runs of each job that stay; left out as the server is set',
      requiresArg: true,
    },
    namespace: { type: 'string', describe: 'only jobs and data sets of this namespace', requiresArg: true },
  },
  examples: [
    ['$0 retention preview --older-than 90d', 'what would go'],
    ['$0 retention apply --older-than 90d --keep-runs 5', 'removes it for good'],
    ['$0 retention apply --older-than 2026-01-31T00:00:00Z --namespace airflow-test', 'of one namespace'],
  ],
  run: async ({ action, namespace, ...args }, session) => {
    const keepRunsPerJob = args['keep-runs'];
    if (keepRunsPerJob !== undefined && !Number.isInteger(keepRunsPerJob)) {
      throw new UsageError('--keep-runs must be a whole number');
    }
    const input = {
      dryRun: action === 'preview',
      olderThan: olderThan(args['older-than']) ?? null,
      keepRunsPerJob: keepRunsPerJob ?? null,
      namespace: namespace ?? null,
    };
    return action === 'preview' ? preview(input, session) : applyAll(input, session);
  },
});

/** @throws UsageError */
function olderThan(text: string | undefined): string | undefined {
  if (text === undefined || !/^\d+d$/.test(text)) return text;
  const instant = new Date(Date.now() - Number(text.slice(0, -1)) * DAY_MS);
  if (Number.isNaN(instant.getTime())) throw new UsageError('--older-than has more days than there have been');
  return instant.toISOString();
}

async function preview(input: ApplyLineageRetentionInput, session: Session): Promise<number> {
  const payload = await ask(input, session);
  await session.output.result(payload, () => `${payload.isComplete ? '' : 'at least '}${counted(payload)} would go`);
  return EXIT_CODES.ok;
}

/** The server answers after a while with what it has done until then, so it is asked until there is no more. */
async function applyAll(input: ApplyLineageRetentionInput, session: Session): Promise<number> {
  const { output } = session;
  let payload = await ask(input, session);
  let done = payload;
  while (!payload.isComplete && payload.runs + payload.versions > 0) {
    output.note(`${counted(done)} are gone`);
    payload = await ask({ ...input, olderThan: payload.olderThan }, session);
    const [runs, versions] = [done.runs + payload.runs, done.versions + payload.versions];
    done = { ...payload, runs, versions, commit: payload.commit ?? done.commit };
  }
  await output.result(done, () => `${counted(done)} are gone`);
  if (done.isComplete) return EXIT_CODES.ok;
  output.note('the server found nothing more in the time that LINEAGE_WAIT_MS gives it, and has not seen all');
  return EXIT_CODES.unavailable;
}

async function ask(
  input: ApplyLineageRetentionInput,
  { client, signal }: Session,
): Promise<ApplyLineageRetentionPayload> {
  const { applyLineageRetention: payload } = await client.graphql<{
    applyLineageRetention: ApplyLineageRetentionPayload;
  }>(OPERATIONS.applyLineageRetention, { input }, { signal });
  return accepted(payload);
}

const counted = ({ runs, versions }: ApplyLineageRetentionPayload): string =>
  `${counting(runs, 'run')} and ${counting(versions, 'version')}`;

const counting = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

import type { DiscardLineageEventPayload, LineageDeadLetter, ReplayLineageEventPayload } from '../../lineage-types.js';
import { OPERATIONS } from '../../operations.js';
import { accepted } from '../accepted.js';
import { timeOf } from '../change-lines.js';
import { defineCommand, type Session } from '../cli-command.js';
import { EXIT_CODES, UsageError } from '../exit-codes.js';
import type { Output } from '../output.js';

const ACTIONS = ['dead-letters', 'replay', 'discard'] as const;
/** Each comes with its event. */
const PAGE_SIZE = 20;

export const inboxCommand = defineCommand({
  command: 'inbox <action> [position]',
  describe: 'List events of OpenLineage that could not be applied, replay or discard one',
  positionals: {
    action: { choices: ACTIONS, demandOption: true, describe: 'what to do' },
    position: { type: 'number', describe: 'the event to replay or discard' },
  },
  options: {},
  examples: [
    ['$0 inbox dead-letters --json', 'all of them with their reasons, as one JSON value a line'],
    ['$0 inbox replay 17', 'puts one at the end of the inbox once more'],
    ['$0 inbox discard 17', 'removes one for good'],
  ],
  run: async ({ action, position }, session) => {
    if (action === 'dead-letters') {
      if (position !== undefined) throw new UsageError('dead-letters lists all and takes no position');
      return list(session);
    }
    if (position === undefined) throw new UsageError(`name the event to ${action} by its position`);
    return action === 'replay' ? replay(position, session) : discard(position, session);
  },
});

async function list({ client, output, signal }: Session): Promise<number> {
  let found = 0;
  for (let after: string | null = null; ; ) {
    const { lineageDeadLetters: page }: { lineageDeadLetters: DeadLetterPage } = await client.graphql(
      OPERATIONS.lineageDeadLetters,
      { first: PAGE_SIZE, after },
      { signal },
    );
    for (const letter of page.nodes) await output.result(letter, () => shown(letter, output));
    found += page.nodes.length;
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  if (found === 0) output.note('every event was applied');
  return EXIT_CODES.ok;
}

interface DeadLetterPage {
  readonly nodes: readonly LineageDeadLetter[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function replay(position: number, { client, output, signal }: Session): Promise<number> {
  const { replayLineageEvent: payload } = await client.graphql<{ replayLineageEvent: ReplayLineageEventPayload }>(
    OPERATIONS.replayLineageEvent,
    { input: { position } },
    { signal },
  );
  accepted(payload);
  await output.result(payload, () => `replayed, now at position ${payload.position}`);
  return EXIT_CODES.ok;
}

async function discard(position: number, { client, output, signal }: Session): Promise<number> {
  const { discardLineageEvent: payload } = await client.graphql<{ discardLineageEvent: DiscardLineageEventPayload }>(
    OPERATIONS.discardLineageEvent,
    { input: { position } },
    { signal },
  );
  accepted(payload);
  await output.result(payload, () => 'discarded');
  return EXIT_CODES.ok;
}

function shown({ position, receivedAt, reason, bytes, payload }: LineageDeadLetter, output: Output): string {
  const where = reason.path === '' ? '' : `${reason.path} `;
  return [
    `${output.paint('cyan', String(position))} ${timeOf(receivedAt)} ${reason.code}: ${where}${reason.message}`,
    ...(payload === null ? [] : [`  ${output.paint('dim', `${bytes} bytes`)} ${payload.slice(0, 200)}`]),
  ].join('\n');
}

import type { StreamOptions } from '../../resuming-stream.js';
import {
  CHANGE_OPERATIONS,
  type ChangeOperation,
  type GraphChange,
  type GraphChangeFilter,
} from '../../schema-types.js';
import { changeItemLine, timeOf } from '../change-lines.js';
import { defineCommand, type Session } from '../cli-command.js';
import { CursorFile } from '../cursor-file.js';
import { depthOf } from '../depth-option.js';
import { EXIT_CODES, UsageError } from '../exit-codes.js';

const list = (describe: string) => ({ type: 'string', array: true, describe, requiresArg: true }) as const;

export const tailCommand = defineCommand({
  command: 'tail',
  describe: 'Print changes of the graph as they happen; survives restarts of the server',
  positionals: {},
  options: {
    after: { type: 'string', describe: 'begin right after this cursor', requiresArg: true },
    'since-start': { type: 'boolean', default: false, describe: 'begin with the oldest change that is kept' },
    'cursor-file': {
      type: 'string',
      describe: 'go on after the cursor in this file, and keep it there',
      requiresArg: true,
    },
    limit: { type: 'number', describe: 'end after this many changes', requiresArg: true },
    lineage: {
      type: 'string',
      describe: 'only what this data set or job comes from: its cone of lineage, and the runs in it; urn',
      requiresArg: true,
    },
    downstream: { type: 'boolean', default: false, describe: 'with --lineage: what it feeds, instead' },
    depth: {
      type: 'string',
      default: '3',
      describe: 'with --lineage: hops over data sets, or `all`',
      requiresArg: true,
    },
    kind: list('only entities or links of this kind; may be repeated, as the filters below'),
    urn: list('only this entity, or links of it'),
    label: list('only entities with this label'),
    property: list('only changes of this property'),
    actor: list('only changes by this actor'),
    operation: { choices: CHANGE_OPERATIONS, array: true, describe: 'only this operation', requiresArg: true },
  },
  examples: [
    ['$0 tail --kind Dataset --operation CREATED', 'new data sets, from now on'],
    ['$0 tail --json --cursor-file ./cursor', 'everything, going on where the last one ended'],
    ['$0 tail --since-start --limit 10', 'the ten oldest changes'],
    ['$0 tail --lineage nucleus:dataset:s3%3A%2F%2Flake:orders', 'what happens upstream of orders'],
  ],
  run: async (args, session) => {
    const { client, output, signal } = session;
    const { limit = Number.POSITIVE_INFINITY } = args;
    if (!(limit >= 1)) throw new UsageError('--limit must be a number above 0');
    if (args.after !== undefined && args['since-start']) {
      throw new UsageError('--after and --since-start are both given: keep one');
    }
    const file = args['cursor-file'] === undefined ? undefined : new CursorFile(args['cursor-file']);
    const after = file?.read() ?? args.after ?? (args['since-start'] ? await oldest(session) : undefined);
    const stream: StreamOptions = {
      after,
      signal,
      onReconnect: ({ error, waitMs }) =>
        output.note(`nucleus: ${error.message}; connecting again in ${Math.ceil(waitMs / 1000)} s`),
    };
    const filter = filterOf(args);
    if (args.lineage !== undefined && Object.values(filter).some((list) => list !== undefined)) {
      throw new UsageError('--lineage does not go with filters: leave out one of them');
    }
    const direction = args.downstream ? 'DOWNSTREAM' : 'UPSTREAM';
    await using changes =
      args.lineage === undefined
        ? client.graphChanges({ ...stream, filter })
        : client.lineageChanges(args.lineage, { ...stream, direction, depth: depthOf(args.depth) });
    // Where all that was printed ends. What has been read and not yet printed must not be left out by the next one.
    let printedTo: string | undefined;
    let isPrinting = false;
    try {
      // Kept even when nothing ever matches: the next one begins where this one began.
      file?.save(await changes.subscribed());
      let printed = 0;
      for await (const change of changes) {
        isPrinting = true;
        await output.result(change, () => textOf(change, session));
        isPrinting = false;
        printedTo = changes.cursor;
        file?.saveNowAndThen(printedTo);
        printed += 1;
        if (printed >= limit) break;
      }
    } finally {
      file?.save(isPrinting ? printedTo : changes.cursor);
    }
    return EXIT_CODES.ok;
  },
});

async function oldest({ client, signal }: Session): Promise<string> {
  return (await client.changeLog({ signal })).oldest;
}

function filterOf(args: {
  kind?: string[] | undefined;
  urn?: string[] | undefined;
  label?: string[] | undefined;
  property?: string[] | undefined;
  actor?: string[] | undefined;
  operation?: ChangeOperation[] | undefined;
}): GraphChangeFilter {
  return {
    kinds: args.kind,
    urns: args.urn,
    labels: args.label,
    changedProperties: args.property,
    actors: args.actor,
    operations: args.operation,
  };
}

function textOf({ at, actor, runId, items }: GraphChange, { output }: Session): string {
  const who = runId === null ? actor : `${actor}, run ${runId}`;
  return items
    .map(
      (item) =>
        `${output.paint('dim', timeOf(at))} ${changeItemLine(item, output)} ${output.paint('dim', `by ${who}`)}`,
    )
    .join('\n');
}

import type { LineageLevel, LineageTruncation } from '../../lineage-types.js';
import { defineCommand } from '../cli-command.js';
import { depthOf } from '../depth-option.js';
import { EXIT_CODES, UsageError } from '../exit-codes.js';
import { lineageTree, linesOfLineage, linesOfRuns } from '../lineage-tree.js';

/** Nodes of one request. */
const AT_ONCE = 500;

export const lineageCommand = defineCommand({
  command: 'lineage <urn>',
  describe: 'Show what a data set, a job, a column or a run feeds, or what it comes from, as a tree',
  positionals: { urn: { type: 'string', demandOption: true, describe: 'urn of the start' } },
  options: {
    upstream: { type: 'boolean', default: false, describe: 'what it comes from, instead of what it feeds' },
    depth: {
      type: 'string',
      default: '3',
      describe: 'hops over data sets or their versions, or `all`',
      requiresArg: true,
    },
    level: {
      choices: ['dataset', 'job', 'field', 'run'],
      default: 'dataset',
      describe:
        'data sets with the jobs between them, jobs alone, columns, or runs with the versions that they read and wrote',
      requiresArg: true,
    },
    at: { type: 'string', describe: 'as it was then; ISO 8601, UTC without a zone', requiresArg: true },
    'as-of-run': { type: 'string', describe: 'as it was when this run ended; urn', requiresArg: true },
    ever: { type: 'boolean', default: false, describe: 'all that was there at any time' },
    kind: { type: 'string', array: true, describe: 'only nodes of this kind; may be repeated', requiresArg: true },
    namespace: {
      type: 'string',
      array: true,
      describe: 'only nodes of this namespace; may be repeated',
      requiresArg: true,
    },
    limit: { type: 'number', default: 1000, describe: 'nodes at most', requiresArg: true },
  },
  examples: [
    ['$0 lineage nucleus:dataset:s3%3A%2F%2Flake:orders', 'what orders feeds'],
    ['$0 lineage nucleus:dataset:s3%3A%2F%2Flake:orders --upstream --depth all', 'all that it comes from'],
    [
      '$0 lineage nucleus:dataset:s3%3A%2F%2Flake:orders --at 2024-05-01T00:00Z --json',
      'as of then, as one JSON value',
    ],
    [
      '$0 lineage nucleus:dataset:s3%3A%2F%2Flake:orders --level run --upstream',
      'the runs and versions behind its latest version',
    ],
  ],
  run: async ({ urn, ...args }, { client, output, signal }) => {
    const { upstream, level, at, ever, kind, namespace, limit } = args;
    if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit must be a whole number above 0');
    const walk = {
      signal,
      direction: upstream ? ('UPSTREAM' as const) : ('DOWNSTREAM' as const),
      depth: depthOf(args.depth),
    };
    let isWhole: boolean;
    if (level === 'run') {
      refuseViews(args);
      const whole = await addUp(limit, urn, (of, part) => client.runLineage(of, { ...walk, ...part }));
      isWhole = whole.truncated === null;
      await output.result(whole, () => lineageTree(whole, upstream, linesOfRuns(output)));
    } else {
      const asked = {
        ...walk,
        level: level.toUpperCase() as LineageLevel,
        view: ever ? ('EVER' as const) : undefined,
        at,
        asOfRun: args['as-of-run'],
        filter: { ...(kind && { kinds: kind }), ...(namespace && { namespaces: namespace }) },
      };
      const whole = await addUp(limit, urn, (of, part) => client.lineage(of, { ...asked, ...part }));
      isWhole = whole.truncated === null;
      await output.result(whole, () => lineageTree(whole, upstream, linesOfLineage(output)));
    }
    if (!isWhole) output.note('there is more: raise --limit, or lower --depth');
    return EXIT_CODES.ok;
  },
});

/** What runs have read and written is not asked for as of a time: a version is what it was. */
function refuseViews(args: Readonly<Record<string, unknown>>): void {
  for (const option of ['at', 'as-of-run', 'kind', 'namespace']) {
    if (args[option] !== undefined) throw new UsageError(`--${option} does not go with --level run: leave it out`);
  }
  if (args.ever === true) throw new UsageError('--ever does not go with --level run: leave it out');
}

interface Walked {
  readonly urn: string;
  readonly nodes: readonly unknown[];
  readonly edges: readonly unknown[];
  readonly truncated: LineageTruncation | null;
}

/** Adds up the parts of a walk; its answer is truncated where there are more nodes than `limit`. */
async function addUp<Walk extends Walked>(
  limit: number,
  urn: string,
  read: (urn: string, part: { readonly maxNodes: number; readonly after?: string }) => Promise<Walk>,
): Promise<Walk> {
  let whole = await read(urn, { maxNodes: Math.min(AT_ONCE, limit) });
  while (whole.truncated !== null && whole.nodes.length < limit) {
    const maxNodes = Math.min(AT_ONCE, limit - whole.nodes.length);
    // The first part tells where it starts, if that is another node than the one that was asked for.
    const part = await read(whole.urn, { maxNodes, after: whole.truncated.next });
    whole = { ...part, nodes: [...whole.nodes, ...part.nodes], edges: [...whole.edges, ...part.edges] };
  }
  return whole;
}

import type { LineageOptions, NucleusClient } from '../../nucleus-client.js';
import type { Lineage, LineageLevel } from '../../schema-types.js';
import { defineCommand } from '../cli-command.js';
import { EXIT_CODES, UsageError } from '../exit-codes.js';
import { lineageTree } from '../lineage-tree.js';

/** Nodes of one request. */
const AT_ONCE = 500;

export const lineageCommand = defineCommand({
  command: 'lineage <urn>',
  describe: 'Show what a data set, a job or a column feeds, or what it comes from, as a tree',
  positionals: { urn: { type: 'string', demandOption: true, describe: 'urn of the start' } },
  options: {
    upstream: { type: 'boolean', default: false, describe: 'what it comes from, instead of what it feeds' },
    depth: { type: 'string', default: '3', describe: 'hops over data sets, or `all`', requiresArg: true },
    level: {
      choices: ['dataset', 'job', 'field'],
      default: 'dataset',
      describe: 'data sets with the jobs between them, jobs alone, or columns',
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
  ],
  run: async ({ urn, ...args }, { client, output, signal }) => {
    const { upstream, depth, level, at, ever, kind, namespace, limit } = args;
    if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit must be a whole number above 0');
    const whole = await read(client, urn, limit, {
      signal,
      direction: upstream ? 'UPSTREAM' : 'DOWNSTREAM',
      depth: depthOf(depth),
      level: level.toUpperCase() as LineageLevel,
      view: ever ? 'EVER' : undefined,
      at,
      asOfRun: args['as-of-run'],
      filter: { ...(kind && { kinds: kind }), ...(namespace && { namespaces: namespace }) },
    });
    await output.result(whole, () => lineageTree(whole, upstream, output));
    if (whole.truncated !== null) output.note('there is more: raise --limit, or lower --depth');
    return EXIT_CODES.ok;
  },
});

function depthOf(text: string): number | null {
  if (text === 'all') return null;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError('--depth must be a whole number above 0, or `all`');
  return Number(text);
}

/** Adds up the parts of a walk; its answer is truncated where there are more nodes than `limit`. */
async function read(client: NucleusClient, urn: string, limit: number, options: LineageOptions): Promise<Lineage> {
  let whole = await client.lineage(urn, { ...options, maxNodes: Math.min(AT_ONCE, limit) });
  while (whole.truncated !== null && whole.nodes.length < limit) {
    const maxNodes = Math.min(AT_ONCE, limit - whole.nodes.length);
    const part = await client.lineage(urn, { ...options, maxNodes, after: whole.truncated.next });
    whole = { ...part, nodes: [...whole.nodes, ...part.nodes], edges: [...whole.edges, ...part.edges] };
  }
  return whole;
}

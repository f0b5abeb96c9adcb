import type { GraphQLResolveInfo } from 'graphql';
import type { LineageEdgeDetail, LineageLevel } from '#graph-schema';
import {
  checkPageSize,
  type LineageDirection,
  type LineageNode,
  type LineageQuery,
  type RunLineageNode,
} from '#graph-store';
import { instantOf, type ViewArguments, viewOf } from '../lineage/lineage-view.js';
import type { GraphqlContext } from './graphql-context.js';
import { diffView, impactView, nodeViews, pathViews, truncationView } from './lineage-views.js';
import { selectedFields } from './selected-fields.js';

interface WalkArguments {
  readonly urn: string;
  readonly direction: LineageDirection;
  readonly depth?: number | null;
  readonly level: LineageLevel;
  readonly filter?: {
    readonly kinds?: readonly string[] | null;
    readonly namespaces?: readonly string[] | null;
  } | null;
  readonly deadlineMs: number;
}

interface Sizes {
  readonly maxNodes: number;
  readonly maxEdges: number;
}

export const lineageQueries = {
  lineage: async (
    _: unknown,
    args: WalkArguments & ViewArguments & Sizes & { readonly after?: string | null },
    { lineage, knowledge }: GraphqlContext,
    info: GraphQLResolveInfo,
  ) => {
    const view = await viewOf(args, lineage);
    const { maxNodes, maxEdges, after } = args;
    const walk = { ...walkOf(args), view, maxNodes, maxEdges, after: after ?? undefined };
    const { nodes, edges, truncated } = await lineage.walk(walk, edgeDetail(info, ['edges']));
    return {
      urn: args.urn,
      at: typeof view === 'object' ? view.at : null,
      nodes: shownNodes(info, ['nodes'], nodes, knowledge),
      edges,
      truncated: truncationView(truncated),
    };
  },

  lineageImpact: async (
    _: unknown,
    args: WalkArguments & ViewArguments & { readonly first: number; readonly after?: string | null },
    { lineage, knowledge }: GraphqlContext,
  ) => {
    const { first, after } = args;
    checkPageSize(first);
    const view = await viewOf(args, lineage);
    const page = await lineage.impact({ ...walkOf(args), view, maxNodes: first, after: after ?? undefined });
    return impactView(page, after, knowledge.reader);
  },

  lineagePaths: async (
    _: unknown,
    args: ViewArguments & {
      readonly from: string;
      readonly to: string;
      readonly level: LineageLevel;
      readonly depth: number;
      readonly limit: number;
      readonly deadlineMs: number;
    },
    { lineage, knowledge }: GraphqlContext,
  ) => {
    const { from, to, level, depth, limit, deadlineMs } = args;
    const view = await viewOf(args, lineage);
    return pathViews(await lineage.paths({ from, to, level, view, depth, limit, deadlineMs }), knowledge.reader);
  },

  lineageNamespaces: async (
    _: unknown,
    args: Omit<WalkArguments, 'level' | 'filter'> & ViewArguments & Sizes,
    { lineage }: GraphqlContext,
  ) => {
    const { urn, direction, depth, maxNodes, maxEdges, deadlineMs } = args;
    const view = await viewOf(args, lineage);
    const walk = { urn, direction, depth: depth ?? undefined, view, maxNodes, maxEdges, deadlineMs };
    const { truncated, ...summed } = await lineage.namespaces(walk);
    return { ...summed, truncated: truncated?.toUpperCase() ?? null };
  },

  lineageDiff: async (
    _: unknown,
    args: WalkArguments & Sizes & { readonly from: string; readonly to?: string | null },
    { lineage, knowledge }: GraphqlContext,
    info: GraphQLResolveInfo,
  ) => {
    const { maxNodes, maxEdges } = args;
    const from = { at: instantOf(args.from, 'from') };
    const to = args.to == null ? 'CURRENT' : { at: instantOf(args.to, 'to') };
    const detail = edgeDetail(info, ['added', 'edges'], ['removed', 'edges']);
    const diff = await lineage.diff({ ...walkOf(args), from, to, maxNodes, maxEdges }, detail);
    return diffView(diff, (nodes, side) => shownNodes(info, [side, 'nodes'], nodes, knowledge));
  },

  runLineage: async (
    _: unknown,
    { depth, after, ...asked }: Omit<WalkArguments, 'level' | 'filter'> & Sizes & { readonly after?: string | null },
    { lineage, knowledge }: GraphqlContext,
    info: GraphQLResolveInfo,
  ) => {
    const walk = { ...asked, depth: depth ?? undefined, after: after ?? undefined };
    const { nodes, truncated, ...told } = await lineage.runs(walk);
    return { ...told, nodes: shownNodes(info, ['nodes'], nodes, knowledge), truncated: truncationView(truncated) };
  },
};

/** Fields of `LineageEdge` that every walk knows, and those that are read when one of them is selected. */
const FIELDS_OF_ENDS: ReadonlySet<string> = new Set(['__typename', 'kind', 'from', 'to', 'via']);
const FIELDS_OF_RUNS: ReadonlySet<string> = new Set([...FIELDS_OF_ENDS, 'firstRun', 'lastRun']);

/** How much of edges has to be read for what is selected. @param paths where there are edges, below the field that is resolved */
function edgeDetail(info: GraphQLResolveInfo, ...paths: readonly string[][]): LineageEdgeDetail {
  const selected = paths.flatMap((path) => [...selectedFields(info, path)]);
  if (selected.every((field) => FIELDS_OF_ENDS.has(field))) return 'ENDS';
  return selected.every((field) => FIELDS_OF_RUNS.has(field)) ? 'RUNS' : 'WHOLE';
}

/** Nodes with a look-up of their entities where these are selected: an answer may hold thousands. @param path where the nodes are */
function shownNodes<Node extends LineageNode | RunLineageNode>(
  info: GraphQLResolveInfo,
  path: readonly string[],
  nodes: readonly Node[],
  { reader }: GraphqlContext['knowledge'],
): readonly Node[] {
  return selectedFields(info, path).has('entity') ? nodeViews(nodes, reader) : nodes;
}

function walkOf({ urn, direction, depth, level, filter, deadlineMs }: WalkArguments) {
  const { kinds, namespaces } = filter ?? {};
  // The reader says which kinds there are.
  const shown = { kinds: kinds ?? undefined, namespaces: namespaces ?? undefined } as LineageQuery['filter'];
  return { urn, direction, depth: depth ?? undefined, level, filter: shown, deadlineMs };
}

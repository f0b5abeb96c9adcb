import type { Lineage, LineageEdge, LineageNode } from '../schema-types.js';
import { timeOf } from './change-lines.js';
import type { Output } from './output.js';

/** Levels that are told by indentation: a long chain would be more blanks than text. */
const MOST_LEVELS = 50;

const indented = (level: number, text: string): string => `${'  '.repeat(Math.min(level, MOST_LEVELS))}${text}`;

interface Branch {
  readonly node: LineageNode;
  readonly level: number;
  /** How the walk came here; undefined at a root. */
  readonly edge: LineageEdge | undefined;
}

/**
 * A walk as an indented tree, one node a line, each with what follows it where it is met first.
 *
 * @param nodes nearest first, as the server lists them; so are the branches of each
 */
export function lineageTree(
  { nodes, edges }: Pick<Lineage, 'nodes' | 'edges'>,
  isUpstream: boolean,
  output: Output,
): string {
  const branches = branchesOf(nodes, edges, isUpstream);
  const shown = new Set<string>();
  const lines: string[] = [];
  // A stack of its own: a chain may be longer than that of the runtime.
  const open: Branch[] = nodes
    .filter(({ depth }) => depth === 0)
    .map((node) => ({ node, level: 0, edge: undefined }))
    .reverse();
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    const { node, level } = branch;
    const isAgain = shown.has(node.urn);
    lines.push(indented(level, lineOf(branch, isAgain, output)));
    if (isAgain) continue;
    shown.add(node.urn);
    const next = (branches.get(node.urn) ?? []).map((one) => ({ ...one, level: level + 1 }));
    open.push(...next.reverse());
  }
  // A filter may hide all that leads to a node.
  for (const node of nodes) {
    if (shown.has(node.urn)) continue;
    lines.push(indented(node.depth, lineOf({ node, level: node.depth, edge: undefined }, false, output)));
  }
  return lines.join('\n');
}

/** By the urn of the end that is nearer to the start; of several edges between two nodes the first. */
function branchesOf(
  nodes: readonly LineageNode[],
  edges: readonly LineageEdge[],
  isUpstream: boolean,
): ReadonlyMap<string, readonly Omit<Branch, 'level'>[]> {
  const places = new Map(nodes.map((node, place) => [node.urn, { node, place }]));
  const found = new Map<string, Map<string, { edge: LineageEdge; node: LineageNode; place: number }>>();
  for (const edge of edges) {
    const [near, far] = isUpstream ? [edge.to, edge.from] : [edge.from, edge.to];
    const end = places.get(far);
    if (end === undefined) continue;
    const own = found.get(near) ?? new Map();
    found.set(near, own);
    if (!own.has(far)) own.set(far, { edge, ...end });
  }
  return new Map([...found].map(([urn, own]) => [urn, [...own.values()].sort((a, b) => a.place - b.place)]));
}

function lineOf({ node, edge }: Branch, isAgain: boolean, output: Output): string {
  const { kind, name, urn, deletedAt, placeholder } = node;
  const until = edge?.current === false ? edge.intervals.at(-1)?.to : undefined;
  const states = [
    deletedAt !== null && `deleted ${timeOf(deletedAt)}`,
    placeholder && 'placeholder',
    until != null && `until ${timeOf(until)}`,
    isAgain && 'see above',
  ].filter((state) => state !== false);
  const told = states.length === 0 ? '' : output.paint('yellow', ` (${states.join(', ')})`);
  return `${output.paint('cyan', kind)} ${name}${told}  ${output.paint('dim', urn)}`;
}

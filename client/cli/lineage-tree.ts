import type { LineageEdge, LineageNode, RunLineageNode } from '../lineage-types.js';
import { timeOf } from './change-lines.js';
import type { Output } from './output.js';

/** Levels that are told by indentation: a long chain would be more blanks than text. */
const MOST_LEVELS = 50;

const indented = (level: number, text: string): string => `${'  '.repeat(Math.min(level, MOST_LEVELS))}${text}`;

interface TreeNode {
  readonly urn: string;
  readonly depth: number;
}

/** As the data flows. */
interface TreeEdge {
  readonly from: string;
  readonly to: string;
}

interface Branch<Node, Edge> {
  readonly node: Node;
  readonly level: number;
  /** How the walk came here; undefined at a root. */
  readonly edge: Edge | undefined;
}

/** What is told of a node, and how the walk came to it. @param isAgain whether what follows it is told above */
type LineOf<Node, Edge> = (
  branch: { readonly node: Node; readonly edge: Edge | undefined },
  isAgain: boolean,
) => string;

/**
 * A walk as an indented tree, one node a line, each with what follows it where it is met first.
 *
 * @param nodes nearest first, as the server lists them; so are the branches of each
 */
export function lineageTree<Node extends TreeNode, Edge extends TreeEdge>(
  { nodes, edges }: { readonly nodes: readonly Node[]; readonly edges: readonly Edge[] },
  isUpstream: boolean,
  lineOf: LineOf<Node, Edge>,
): string {
  const branches = branchesOf(nodes, edges, isUpstream);
  const shown = new Set<string>();
  const lines: string[] = [];
  // A stack of its own: a chain may be longer than that of the runtime.
  const open: Branch<Node, Edge>[] = nodes
    .filter(({ depth }) => depth === 0)
    .map((node) => ({ node, level: 0, edge: undefined }))
    .reverse();
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    const { node, level } = branch;
    const isAgain = shown.has(node.urn);
    lines.push(indented(level, lineOf(branch, isAgain)));
    if (isAgain) continue;
    shown.add(node.urn);
    const next = (branches.get(node.urn) ?? []).map((one) => ({ ...one, level: level + 1 }));
    open.push(...next.reverse());
  }
  // A filter may hide all that leads to a node.
  for (const node of nodes) {
    if (shown.has(node.urn)) continue;
    lines.push(indented(node.depth, lineOf({ node, edge: undefined }, false)));
  }
  return lines.join('\n');
}

/** By the urn of the end that is nearer to the start; of several edges between two nodes the first. */
function branchesOf<Node extends TreeNode, Edge extends TreeEdge>(
  nodes: readonly Node[],
  edges: readonly Edge[],
  isUpstream: boolean,
): ReadonlyMap<string, readonly Omit<Branch<Node, Edge>, 'level'>[]> {
  const places = new Map(nodes.map((node, place) => [node.urn, { node, place }]));
  const found = new Map<string, Map<string, { edge: Edge; node: Node; place: number }>>();
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

/** Lines of a walk over data sets, jobs or columns. */
export function linesOfLineage(output: Output): LineOf<LineageNode, LineageEdge> {
  return ({ node, edge }, isAgain) => {
    const { deletedAt, placeholder } = node;
    const until = edge?.current === false ? edge.intervals.at(-1)?.to : undefined;
    const states = [
      deletedAt !== null && `deleted ${timeOf(deletedAt)}`,
      placeholder && 'placeholder',
      until != null && `until ${timeOf(until)}`,
      isAgain && 'see above',
    ];
    return line(node, states, output);
  };
}

/** Lines of a walk over runs and versions of data sets. */
export function linesOfRuns(output: Output): LineOf<RunLineageNode, unknown> {
  return ({ node }, isAgain) => {
    const { run, version, placeholder } = node;
    const owner = run?.job ?? version?.dataset;
    const states = [
      owner != null && `of ${nameIn(owner)}`,
      run?.state != null && run.state,
      run?.endedAt != null && `ended ${timeOf(run.endedAt)}`,
      version?.writtenAt != null && `written ${timeOf(version.writtenAt)}`,
      placeholder && 'placeholder',
      isAgain && 'see above',
    ];
    return line(node, states, output);
  };
}

/** The last part of a urn. */
const nameIn = (urn: string): string => decodeURIComponent(urn.slice(urn.lastIndexOf(':') + 1));

function line(
  { kind, name, urn }: Pick<LineageNode, 'kind' | 'name' | 'urn'>,
  states: readonly (string | false)[],
  output: Output,
): string {
  const told = states.filter((state) => state !== false).join(', ');
  return `${output.paint('cyan', kind)} ${name}${told === '' ? '' : output.paint('yellow', ` (${told})`)}  ${output.paint('dim', urn)}`;
}

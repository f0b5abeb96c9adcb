import type { LineageWay } from '#graph-schema';

/**
 * Steps to all that is reached from a node along edges, the node itself at 0 and nearest first: a breadth-first search.
 *
 * @param maxSteps edges from the node; may be infinite
 */
export function stepsAlong(
  urn: string,
  edges: readonly { readonly from: string; readonly to: string }[],
  way: LineageWay,
  maxSteps: number,
): ReadonlyMap<string, number> {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const [near, far] = way === 'DOWNSTREAM' ? [from, to] : [to, from];
    const neighbours = next.get(near);
    if (neighbours === undefined) next.set(near, [far]);
    else neighbours.push(far);
  }
  const steps = new Map([[urn, 0]]);
  let frontier = [urn];
  for (let step = 1; frontier.length > 0 && step <= maxSteps; step += 1) {
    const found: string[] = [];
    for (const neighbour of frontier.flatMap((of) => next.get(of) ?? [])) {
      if (steps.has(neighbour)) continue;
      steps.set(neighbour, step);
      found.push(neighbour);
    }
    frontier = found;
  }
  return steps;
}

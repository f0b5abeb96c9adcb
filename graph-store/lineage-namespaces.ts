import type { LineageAnswer, LineageEdgeEnds, LineageNamespaces } from './lineage-types.js';

interface Counts {
  datasets: number;
  jobs: number;
}

/** How the data flows between namespaces, from a walk at level DATASET. */
export function rollUp({ nodes, edges, truncated }: LineageAnswer<LineageEdgeEnds>): LineageNamespaces {
  const counts = new Map<string, Counts>();
  for (const { urn } of nodes) {
    const namespace = namespaceOf(urn);
    const count = counts.get(namespace) ?? { datasets: 0, jobs: 0 };
    counts.set(namespace, count);
    if (isJob(urn)) count.jobs += 1;
    else count.datasets += 1;
  }
  const sources = namespacesByJob(edges.filter(({ kind }) => kind === 'FEEDS').map(({ from, to }) => [to, from]));
  const targets = namespacesByJob(edges.filter(({ kind }) => kind === 'PRODUCES').map(({ from, to }) => [from, to]));
  const flows = new Map<string, { from: string; to: string; jobs: number }>();
  for (const [job, froms] of sources) {
    for (const from of froms) {
      for (const to of targets.get(job) ?? []) {
        const key = JSON.stringify([from, to]);
        const flow = flows.get(key) ?? { from, to, jobs: 0 };
        flow.jobs += 1;
        flows.set(key, flow);
      }
    }
  }
  return {
    namespaces: [...counts]
      .map(([namespace, count]) => ({ namespace, ...count }))
      .sort((a, b) => (a.namespace < b.namespace ? -1 : 1)),
    flows: [...flows].sort(([a, one], [b, other]) => other.jobs - one.jobs || (a < b ? -1 : 1)).map(([, flow]) => flow),
    truncated: truncated?.reason ?? null,
  };
}

function namespacesByJob(pairs: readonly (readonly [job: string, dataset: string])[]): Map<string, Set<string>> {
  const byJob = new Map<string, Set<string>>();
  for (const [job, dataset] of pairs) {
    const namespaces = byJob.get(job) ?? new Set();
    byJob.set(job, namespaces.add(namespaceOf(dataset)));
  }
  return byJob;
}

const isJob = (urn: string): boolean => urn.startsWith('nucleus:job:');

const namespaceOf = (urn: string): string => decodeURIComponent(urn.split(':')[2] ?? '');

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestApp } from '../support/app.js';
import { type OwnGraph, openOwnGraph } from '../support/graph.js';
import { runEvent } from '../support/openlineage-events.js';

const CONNECTIONS = 8;

let graph: OwnGraph;
let app: TestApp;

beforeAll(async () => {
  graph = await openOwnGraph();
  const { uri, user, password } = graph.server;
  app = await TestApp.startServer({ NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password });
});
afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  await graph?.[Symbol.asyncDispose]();
});

/** Of run n of a story: its start and its end. */
function eventsOf(story: string, n: number): unknown[] {
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, n, second)).toISOString();
  const run = { runId: `${story}-${n}` };
  const job = { namespace: story, name: `job ${n % 5}` };
  return [
    runEvent({ eventType: 'START', eventTime: at(0), run, job }),
    runEvent({ eventType: 'COMPLETE', eventTime: at(30), run, job }),
  ];
}

async function post(event: unknown): Promise<number> {
  const response = await fetch(`${app.apiUrl}/api/v1/lineage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
  await response.text();
  return response.status;
}

/** Posts over several connections at once, again what got no answer, until all are taken. @returns statuses other than 201 */
async function postAll(events: readonly unknown[], onTaken: (count: number) => void = () => undefined) {
  const waiting = [...events];
  const refused: number[] = [];
  let taken = 0;
  const connection = async () => {
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      const posted = event;
      const status = await vi.waitUntil(() => post(posted).catch(() => 0), { timeout: 60_000, interval: 100 });
      if (status !== 201) refused.push(status);
      taken += 1;
      onTaken(taken);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return refused;
}

const runsOf = (story: string) =>
  graph.query(
    `MATCH (j:Job {namespace: $story})-[:HAS_RUN]->(r:Run)-[:WROTE]->(v:DatasetVersion)
     RETURN r.state AS state, count(DISTINCT r) AS runs, count(v) AS versions`,
    { story },
  );

describe('events of OpenLineage', () => {
  it('are all in the graph, once, when the server is killed with -9 while it drains them', {
    timeout: 180_000,
  }, async () => {
    const events = Array.from({ length: 120 }, (_, n) => eventsOf('kill', n)).flat();
    let restarted: Promise<unknown> | undefined;
    const refused = await postAll(events, (taken) => {
      if (taken === 100) restarted = app.kill('api').then(() => app.startProcess('api'));
    });
    await restarted;
    expect(refused).toEqual([]);
    await expect
      .poll(() => runsOf('kill'), { timeout: 60_000, interval: 250 })
      .toEqual([{ state: 'COMPLETE', runs: 120, versions: 120 }]);
    const produced = await graph.query(
      `MATCH (j:Job {namespace: 'kill'})-[p:PRODUCES]->() RETURN p.current AS current, p.validTo AS validTo,
         p.firstRuns AS first, p.lastRuns AS last ORDER BY j.name`,
    );
    expect(produced).toEqual(
      Array.from({ length: 5 }, (_, n) => ({
        current: true,
        validTo: [],
        first: [`nucleus:run:kill-${n}`],
        last: [`nucleus:run:kill-${115 + n}`],
      })),
    );
  });

  it('are taken while Neo4j is down, and are in the graph once it is back', { timeout: 180_000 }, async () => {
    const events = Array.from({ length: 60 }, (_, n) => eventsOf('outage', n)).flat();
    let refused: number[] = [];
    await graph.server.outage(async () => {
      refused = await postAll(events);
    });
    expect(refused).toEqual([]);
    await expect
      .poll(() => runsOf('outage'), { timeout: 90_000, interval: 250 })
      .toEqual([{ state: 'COMPLETE', runs: 60, versions: 60 }]);
  });
});

import { vi } from 'vitest';
import { TestApp } from './app.js';
import { type OwnGraph, openOwnGraph } from './graph.js';
import { runEvent } from './openlineage-events.js';

const CONNECTIONS = 8;
/** Runs go round among so many jobs. */
const JOBS = 5;

/** A server process with a Neo4j of its own, and clients that send it events of OpenLineage until all are taken. */
export class LineageLoad implements AsyncDisposable {
  readonly graph: OwnGraph;
  readonly app: TestApp;

  private constructor(graph: OwnGraph, app: TestApp) {
    this.graph = graph;
    this.app = app;
  }

  /** @param settings of the server, beside those of every test */
  static async open(settings: Readonly<Record<string, string>> = {}): Promise<LineageLoad> {
    const graph = await openOwnGraph();
    const { uri, user, password } = graph.server;
    try {
      return new LineageLoad(
        graph,
        await TestApp.startServer({ NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password, ...settings }),
      );
    } catch (error) {
      await graph[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Posts the start and the end of each run over several connections at once, again what got no answer, until all are taken.
   * @param runs of the story, one after the other
   * @returns statuses other than 201
   */
  async post(
    story: string,
    runs: Iterable<number>,
    onTaken: (count: number) => void = () => undefined,
  ): Promise<number[]> {
    const waiting = eventsOf(story, runs);
    const refused: number[] = [];
    let taken = 0;
    const connection = async () => {
      for (const event of waiting) {
        const status = await vi.waitUntil(() => this.#post(event).catch(() => 0), { timeout: 60_000, interval: 100 });
        if (status !== 201) refused.push(status);
        taken += 1;
        onTaken(taken);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, connection));
    return refused;
  }

  /** What became of the runs of a story: states, and how many runs have written how many versions. */
  runsOf(story: string) {
    return this.graph.query(
      `MATCH (j:Job {namespace: $story})-[:HAS_RUN]->(r:Run)-[:WROTE]->(v:DatasetVersion)
       RETURN r.state AS state, count(DISTINCT r) AS runs, count(v) AS versions`,
      { story },
    );
  }

  async #post(event: unknown): Promise<number> {
    const response = await fetch(`${this.app.apiUrl}/api/v1/lineage`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
    });
    await response.text();
    return response.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    await this.graph[Symbol.asyncDispose]();
  }
}

/** One after the other, whichever connection asks. */
function* eventsOf(story: string, runs: Iterable<number>): Generator<unknown> {
  for (const n of runs) {
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, n, second)).toISOString();
    const run = { runId: `${story}-${n}` };
    const job = { namespace: story, name: `job ${n % JOBS}` };
    yield runEvent({ eventType: 'START', eventTime: at(0), run, job });
    yield runEvent({ eventType: 'COMPLETE', eventTime: at(30), run, job });
  }
}

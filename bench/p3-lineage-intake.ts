import { type ApiServer, openApiServer } from './api-server.js';
import { defineBenchmark, type RateCase, type Round } from './harness/index.js';
import { LineageClients } from './lineage-client.js';
import { lineageEvents } from './lineage-events.js';

const CONNECTIONS = 8;
/** Of one round; two events each. */
const RUNS = { full: 2_000, quick: 200 };
/** Before the first round, until Neo4j and the server are compiled. */
const WARM_UP_RUNS = { full: 2_000, quick: 100 };

interface Intake {
  readonly server: ApiServer;
  readonly clients: LineageClients;
}

const bodiesOf = (story: string, runs: number): Buffer[] =>
  lineageEvents(story, runs).map((event) => Buffer.from(JSON.stringify(event)));

/** The event that is waited for; it is the last of the inbox. */
const lastOf = (story: string): Buffer => bodiesOf(`${story}-last`, 1).slice(-1)[0] ?? Buffer.alloc(0);

/** @param measure sends the bodies within `time` */
function intake(
  name: string,
  atLeastPerSecond: number,
  measure: (
    intake: Intake,
    bodies: readonly Buffer[],
    last: Buffer,
    time: Round<Intake>['time'],
  ) => ReturnType<Round<Intake>['time']>,
): RateCase<Intake> {
  return {
    kind: 'rate',
    name,
    unit: 'events',
    target: { atLeastPerSecond },
    measure: ({ env, number, quick, time }) => {
      const story = `${name.replaceAll(' ', '-')}-${number}`;
      return measure(env, bodiesOf(story, quick ? RUNS.quick : RUNS.full), lastOf(story), time);
    },
  };
}

export const benchmark = defineBenchmark<Intake>({
  id: 'P3',
  name: 'lineage-intake',
  what: `OpenLineage events of 6 KB, START and COMPLETE of runs with two inputs, one output, ten columns and column lineage, one a request over ${CONNECTIONS} connections: until the graph has all of them, and until all are answered, which is when they are on disk. The server drains them into Neo4j meanwhile, on the same machine as the clients.`,
  setUp: async (environment) => {
    const server = await openApiServer(environment);
    const clients = new LineageClients(server.url, CONNECTIONS);
    environment.use({ [Symbol.asyncDispose]: async () => clients[Symbol.dispose]() });
    await clients.send(bodiesOf('warm-up', environment.quick ? WARM_UP_RUNS.quick : WARM_UP_RUNS.full));
    await clients.drain(lastOf('warm-up'));
    return { server, clients };
  },
  cases: [
    intake('into the graph', 500, ({ clients }, bodies, last, time) =>
      time(bodies.length, async () => {
        await clients.send(bodies);
        await clients.drain(last);
      }),
    ),
    intake('accepted durably', 2_000, async ({ clients }, bodies, last, time) => {
      const sample = await time(bodies.length, () => clients.send(bodies));
      await clients.drain(last);
      return sample;
    }),
  ],
});

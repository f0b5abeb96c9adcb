import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, InputError } from '#errors';
import type { ChangeLog } from '#graph-store';
import type { Arrival, OpenLineage, TakenEvents } from '#ingestion';
import { commitToken } from '../graphql/commit-token.js';
import type { BearerAuth } from '../http/bearer-auth.js';
import { errorBody } from '../http/error-reply.js';
import { batchAnswer, parkedAsRefusal, refusalOf } from './lineage-answer.js';
import { lineageBody } from './lineage-body.js';

/** Where the clients of OpenLineage send to unless they are told otherwise. */
const LINEAGE_PATH = '/api/v1/lineage';
/** Header of every answer to events that were taken: 204 has no body to tell it in. */
const TOKEN_HEADER = 'nucleus-inbox-token';

export interface LineageRouteOptions {
  readonly auth: BearerAuth;
  readonly openLineage: OpenLineage;
  readonly log: Pick<ChangeLog, 'head'>;
  /** Bytes of one body, packed or not. */
  readonly maxBytes: number;
  /** Milliseconds that `?wait=committed` may take. */
  readonly waitMs: number;
}

/** `POST /api/v1/lineage` and `/api/v1/lineage/batch`. docs/openlineage.md describes them for users. */
export function lineageRoute(app: FastifyInstance, options: LineageRouteOptions): void {
  app.register(async (scope) => {
    // The body is read as a stream, by us.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', (_request, _body, done) => done(null));
    const route = {
      // Bodies over the bound are refused where they are read, in the words of the error registry.
      bodyLimit: Number.MAX_SAFE_INTEGER,
      onRequest: async (request: FastifyRequest) => options.auth.check(request.headers.authorization),
      // What is left of a refused body has to go before the connection can carry another request.
      onResponse: async (request: FastifyRequest) => void request.raw.resume(),
    };
    scope.post(LINEAGE_PATH, { ...route, handler: (request, reply) => answerOne(options, request, reply) });
    scope.post(`${LINEAGE_PATH}/batch`, {
      ...route,
      handler: (request, reply) => answerBatch(options, request, reply),
    });
  });
}

async function answerOne(options: LineageRouteOptions, request: FastifyRequest, reply: FastifyReply) {
  const waits = isWaiting(request);
  const intake = await options.openLineage.intake.take(await bodyOf(request, options));
  if (!intake.ok) return reply.code(intake.status).send(errorBody(refusalOf(intake)));
  const { taken } = intake;
  reply.header(TOKEN_HEADER, taken.token);
  if (!waits) return reply.code(201).send({ token: taken.token });
  const { commit, parked } = await committed(options, taken);
  const [letter] = parked;
  if (letter !== undefined) return reply.code(422).send(errorBody(refusalOf(parkedAsRefusal(letter))));
  return reply.code(201).send({ token: taken.token, commit });
}

async function answerBatch(options: LineageRouteOptions, request: FastifyRequest, reply: FastifyReply) {
  const waits = isWaiting(request);
  const batch = await options.openLineage.intake.takeBatch(await bodyOf(request, options));
  if (!batch.ok) return reply.code(batch.status).send(errorBody(refusalOf(batch)));
  const { taken } = batch;
  if (taken !== undefined) reply.header(TOKEN_HEADER, taken.token);
  if (waits && taken !== undefined) {
    const { commit, parked } = await committed(options, taken);
    return reply.send({ ...batchAnswer(batch, parked), commit });
  }
  if (batch.refused.length === 0) return reply.code(204).send();
  return reply.send(batchAnswer(batch));
}

function bodyOf(request: FastifyRequest, { maxBytes }: LineageRouteOptions): Promise<Uint8Array> {
  return lineageBody(request.raw, { maxBytes, setting: 'LINEAGE_MAX_BYTES' });
}

/** Other parameters are left alone: clients can be set up to send some of their own. */
function isWaiting(request: FastifyRequest): boolean {
  const { wait } = request.query as { wait?: unknown };
  if (wait === undefined) return false;
  if (wait === 'committed') return true;
  throw InputError.one('BAD_USER_INPUT', 'wait', 'must be committed, or left out');
}

/** @throws AppError TIMEOUT, with the token, when the graph has not taken the events in time; they stay in the inbox */
async function committed({ openLineage, log, waitMs }: LineageRouteOptions, { range, token }: TakenEvents) {
  const arrival: Arrival = await openLineage.drainer.arrival(range, waitMs);
  if (arrival.is === 'late') {
    throw new AppError(
      'TIMEOUT',
      `the events are stored and wait for the graph, which has not taken them within ${waitMs} ms: do not send them again`,
      { details: { limit: 'waitMs', value: waitMs, token } },
    );
  }
  // Events that another process has drained, or that changed nothing, are in the graph by now at the latest.
  const commit = commitToken(arrival.sequence ?? (await log.head()));
  return { commit, parked: arrival.parked };
}

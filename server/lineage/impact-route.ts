import { finished, Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { AppError } from '#errors';
import type { LineageNode, LineageQuery, LineageReader } from '#graph-store';
import { READ_AFTER_HEADER, type ReadAfterSources, waitForCommit } from '../graphql/read-after.js';
import type { BearerAuth } from '../http/bearer-auth.js';
import { CONTENT_TYPES, lineOf, openingOf } from './impact-lines.js';
import { type ExportFormat, type ImpactQuery, readImpactQuery } from './impact-query.js';
import { viewOf } from './lineage-view.js';

const IMPACT_PATH = '/api/v1/lineage/impact';

/** Exports at one time: each holds the urns of all that it tells. */
const MAX_CONCURRENT = 4;
/** For settling what belongs to the answer, and for each piece of it. */
const DEADLINE_MS = 120_000;

export interface ImpactRouteOptions {
  readonly lineage: LineageReader;
  readonly written: ReadAfterSources;
  readonly auth: BearerAuth;
}

/** `GET /api/v1/lineage/impact`: the whole list of `lineageImpact`. docs/lineage.md describes it for users. */
export function impactRoute(app: FastifyInstance, { lineage, written, auth }: ImpactRouteOptions): void {
  let open = 0;
  app.get(IMPACT_PATH, {
    // It would do all the work and send nothing of it.
    exposeHeadRoute: false,
    onRequest: async (request) => auth.check(request.headers.authorization),
    handler: async (request, reply) => {
      if (open >= MAX_CONCURRENT) throw tooMany();
      open += 1;
      const gone = new AbortController();
      finished(reply.raw, () => {
        open -= 1;
        gone.abort(new AppError('BAD_USER_INPUT', 'the caller has left'));
      });
      const query = readImpactQuery(request.query);
      const readAfter = request.headers[READ_AFTER_HEADER];
      if (readAfter !== undefined) await waitForCommit(written, readAfter, gone.signal);
      const pieces = lineage.everything(await walkOf(query, lineage, gone.signal))[Symbol.asyncIterator]();
      // What is wrong shows with the first piece, while there still is a status to answer with.
      const first = await pieces.next();
      reply.type(CONTENT_TYPES[query.format]).headers({
        'content-disposition': `attachment; filename="lineage-impact.${query.format}"`,
        'x-content-type-options': 'nosniff',
      });
      // A piece waits for the reader, and the one after it is not read yet.
      return reply.send(Readable.from(texts(query.format, first, pieces), { highWaterMark: 1 }));
    },
  });
}

async function walkOf(
  { urn, direction, depth, level, kind, namespace, ...query }: ImpactQuery,
  lineage: LineageReader,
  signal: AbortSignal,
) {
  // The reader says which kinds there are.
  const filter = { kinds: kind, namespaces: namespace } as LineageQuery['filter'];
  return { urn, direction, depth, level, filter, view: await viewOf(query, lineage), signal, deadlineMs: DEADLINE_MS };
}

async function* texts(
  format: ExportFormat,
  first: IteratorResult<readonly LineageNode[], unknown>,
  pieces: AsyncIterator<readonly LineageNode[]>,
): AsyncGenerator<string> {
  let opening = openingOf(format);
  for (let piece = first; !piece.done; piece = await pieces.next()) {
    yield opening + piece.value.map((node) => lineOf(format, node)).join('');
    opening = '';
  }
  // A data set without columns has an empty list at level FIELD.
  if (opening !== '') yield opening;
}

function tooMany(): AppError {
  return new AppError('RATE_LIMITED', `${MAX_CONCURRENT} exports are under way, which is the most at one time`, {
    details: { limit: 'lineageExports', value: MAX_CONCURRENT },
  });
}

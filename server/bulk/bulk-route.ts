import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, InputError } from '#errors';
import {
  arrowRows,
  type LoadDependencies,
  type LoadReport,
  loadRows,
  MAX_ROWS,
  type MetadataRows,
  ndjsonRows,
  openArrowStream,
  type RowSubject,
} from '#ingestion';
import type { BearerAuth } from '../http/bearer-auth.js';
import { bodyBytes } from '../http/body-bytes.js';
import { arrowAnswer, jsonAnswer } from './bulk-answer.js';
import { ARROW_STREAM, BULK_CONTENT_TYPES, type BulkContentType, type BulkQuery, readBulkQuery } from './bulk-query.js';

const BULK_PATH = '/api/v1/bulk';

/** Requests at one time: each may hold a whole body, when it is one Arrow batch. */
const MAX_CONCURRENT = 4;
/** Errors that a JSON answer lists; an Arrow answer lists all. */
const MAX_JSON_ERRORS = 1_000;
/** How much larger than the body its values may be in all, where dictionaries repeat them. */
const VALUE_BYTES_PER_BODY_BYTE = 8;

export interface BulkOptions extends LoadDependencies {
  readonly auth: BearerAuth;
  readonly actor: string;
  /** Bytes of one body, packed or not. */
  readonly maxBytes: number;
}

/** `POST /api/v1/bulk`: upserts of Arrow streams and NDJSON. docs/bulk.md describes it for users. */
export function bulkRoute(app: FastifyInstance, options: BulkOptions): void {
  let open = 0;
  app.register(async (scope) => {
    // The body is read as a stream, by us.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser([...BULK_CONTENT_TYPES], (_request, _body, done) => done(null));
    scope.post(BULK_PATH, {
      // Bodies over the bound are refused where they are read, in the words of the error registry.
      bodyLimit: Number.MAX_SAFE_INTEGER,
      onRequest: async (request) => options.auth.check(request.headers.authorization),
      handler: async (request, reply) => {
        if (open >= MAX_CONCURRENT) throw tooMany();
        open += 1;
        try {
          const asArrow = request.headers.accept?.includes(ARROW_STREAM) ?? false;
          const report = await load(request, options, asArrow ? MAX_ROWS : MAX_JSON_ERRORS);
          return await (asArrow ? reply.type(ARROW_STREAM).send(arrowAnswer(report)) : reply.send(jsonAnswer(report)));
        } finally {
          open -= 1;
          // What is left of a refused body has to go before the connection can carry another request.
          request.raw.resume();
        }
      },
    });
  });
}

async function load(request: FastifyRequest, options: BulkOptions, maxErrors: number): Promise<LoadReport> {
  const contentType = contentTypeOf(request);
  const query = readBulkQuery(request.query, contentType);
  const bytes = bodyBytes(request.raw, { maxBytes: options.maxBytes, setting: 'BULK_MAX_BYTES' });
  const rows = contentType === ARROW_STREAM ? await openArrowRows(bytes, query, options) : ndjsonRows(bytes);
  const { atomic, allowPlaceholders, idempotencyKey } = query;
  return loadRows(
    rows,
    options,
    { actor: options.actor },
    {
      atomic,
      allowPlaceholders,
      idempotencyKey,
      maxErrors,
      maxValueBytes: VALUE_BYTES_PER_BODY_BYTE * options.maxBytes,
    },
  );
}

function contentTypeOf(request: FastifyRequest): BulkContentType {
  const given = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const known = BULK_CONTENT_TYPES.find((type) => type === given);
  if (known === undefined) {
    throw InputError.one('BAD_USER_INPUT', 'Content-Type', `must be ${BULK_CONTENT_TYPES.join(' or ')}`);
  }
  return known;
}

async function openArrowRows(
  bytes: AsyncIterable<Uint8Array>,
  { kind, link, nulls = 'keep' }: BulkQuery,
  { kinds, maxBytes }: BulkOptions,
): Promise<MetadataRows> {
  const subject = await subjectOf({ kind, link }, kinds);
  return arrowRows(await openArrowStream(bytes, { maxBytes }), subject, { nulls });
}

async function subjectOf(
  { kind, link }: Pick<BulkQuery, 'kind' | 'link'>,
  kinds: LoadDependencies['kinds'],
): Promise<RowSubject> {
  if (kind === undefined) return { are: 'links', kind: link ?? '' };
  const definition = await kinds.find(kind);
  if (definition === undefined) throw InputError.one('NOT_FOUND', 'kind', 'names no kind: entityKinds lists them');
  return { are: 'entities', kind: definition };
}

function tooMany(): AppError {
  return new AppError('RATE_LIMITED', `${MAX_CONCURRENT} bulk requests are under way, which is the most at one time`, {
    details: { limit: 'bulkRequests', value: MAX_CONCURRENT },
  });
}

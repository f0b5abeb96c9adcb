import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppError, ERROR_REGISTRY } from '#errors';

/** Errors of the plain HTTP routes, in the words of the error registry. */
export function replyWithErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error: FastifyError | AppError, _, reply) => {
    if (error instanceof AppError) {
      const { status, retryable } = ERROR_REGISTRY[error.code];
      if (status >= 500) logger.error({ err: error }, error.message);
      return reply
        .code(status)
        .send({ error: { code: error.code, message: error.message, retryable, details: error.details } });
    }
    // Fastify's own refusals: a body that is no JSON, too large, of an unknown type.
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return reply
        .code(error.statusCode)
        .send({ error: { code: 'BAD_USER_INPUT', message: error.message, retryable: false } });
    }
    const requestId = randomUUID();
    logger.error({ requestId, err: error }, 'unexpected error');
    return reply.code(500).send({
      error: { code: 'INTERNAL_SERVER_ERROR', message: 'an unexpected fault', retryable: false, requestId },
    });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      error: {
        code: 'NOT_FOUND',
        message: `nothing is served at ${request.method} ${request.url.split('?')[0]}`,
        retryable: false,
      },
    }),
  );
}

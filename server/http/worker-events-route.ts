import type { FastifyInstance } from 'fastify';
import { InputError } from '#errors';
import { INTERNAL_EVENTS_PATH, workerEventsSchema } from '#ingestion/contracts';
import type { ProgressHub } from '../events/progress-hub.js';
import type { BearerAuth } from './bearer-auth.js';

/** Where Python workers post progress and their arrival. Authenticated by a token that only workers hold. */
export function workerEventsRoute(
  app: FastifyInstance,
  options: { auth: BearerAuth; progress: ProgressHub; onWorkerReady: (descriptorHash: string) => void },
): void {
  app.post(INTERNAL_EVENTS_PATH, async (request, reply) => {
    options.auth.check(request.headers.authorization);
    const body = workerEventsSchema.safeParse(request.body);
    if (!body.success) {
      const issue = body.error.issues[0];
      throw InputError.one('BAD_USER_INPUT', issue?.path.join('.') || 'body', issue?.message ?? 'breaks the contract');
    }
    for (const event of body.data.events) {
      if (event.type === 'progress') options.progress.publish(event);
      else options.onWorkerReady(event.descriptorHash);
    }
    return reply.code(204).send();
  });
}

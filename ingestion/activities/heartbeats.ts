import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** Several beats within one time-out, so that a late one does no harm. */
const BEATS = 4;

/**
 * Lets every activity that has a heartbeat time-out beat for as long as it runs: Temporal then soon gives the work of a
 * process that was killed to another one. A timer, since one transaction may wait for its database past the time-out.
 */
export const heartbeats: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    execute: async (input, next) => {
      const { heartbeatTimeoutMs } = context.info;
      if (heartbeatTimeoutMs === undefined) return next(input);
      const timer = setInterval(() => context.heartbeat(), heartbeatTimeoutMs / BEATS);
      try {
        return await next(input);
      } finally {
        clearInterval(timer);
      }
    },
  },
});

import type { Logger } from 'pino';
import type { LineageRetention, RetentionCounts } from '#ingestion';
import { type RetentionPolicy, ruleOfPolicy } from '../commands/apply-lineage-retention.js';
import { repeat } from '../repeat.js';

/** How often it is looked whether a pass is due. */
const CHECK_EVERY_MS = 5_000;
/** From the end of a pass to the next. What is old and stays is read each time. */
const PASS_EVERY_MS = 6 * 3_600_000;
/** Runs and versions that go between two lines of the log. */
const TOLD_EVERY = 10_000;

interface ScheduledRetention {
  readonly retention: Pick<LineageRetention, 'apply'>;
  /** Whether it is this process that drains the inbox: of several that share one, that one does the work. */
  readonly isDraining: () => boolean;
  readonly now: () => Date;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** Applies a policy from time to time. @returns `stop`, which waits for a step that is under way */
export function scheduleRetention(
  policy: RetentionPolicy,
  scheduled: ScheduledRetention,
): { stop: () => Promise<void> } {
  const { isDraining, now, logger } = scheduled;
  const stopped = new AbortController();
  let latest: Date | undefined;
  const checks = repeat(
    CHECK_EVERY_MS,
    async () => {
      const rule = ruleOfPolicy(policy, now());
      if (rule === undefined || !isDraining()) return;
      if (latest !== undefined && now().getTime() - latest.getTime() < PASS_EVERY_MS) return;
      const lost = new AbortController();
      const signal = AbortSignal.any([stopped.signal, lost.signal]);
      const told = progressLog(logger);
      const onStep = (counts: RetentionCounts) => {
        told(counts);
        if (!isDraining()) lost.abort();
      };
      const options = { isDryRun: false, signal, onStep };
      const { isComplete, ...done } = await scheduled.retention.apply(rule, options, { actor: 'retention' });
      if (isComplete) latest = now();
      if (done.runs + done.versions > 0) {
        const { runs, versions } = done;
        logger.info({ runs, versions, isComplete }, 'runs and versions past their retention were removed');
      }
    },
    (error) => logger.warn({ err: error }, 'the retention of lineage could not be applied, trying again later'),
  );
  return {
    stop: async () => {
      stopped.abort();
      await checks.stop();
    },
  };
}

function progressLog(logger: Pick<Logger, 'info'>): (counts: RetentionCounts) => void {
  let told = 0;
  return ({ runs, versions }) => {
    if (runs + versions < told + TOLD_EVERY) return;
    told = runs + versions;
    logger.info({ runs, versions }, 'runs and versions past their retention are being removed');
  };
}

import { type ApplyRetentionInput, applyLineageRetention } from '../commands/apply-lineage-retention.js';
import { underInput, withUserErrors } from '../commands/user-errors.js';
import { commitToken } from './commit-token.js';
import type { GraphqlContext } from './graphql-context.js';

const NOTHING = {
  olderThan: null as string | null,
  keepRunsPerJob: null as number | null,
  ...{ runs: 0, versions: 0, isComplete: false },
  commit: null as string | null,
};

export const lineageRetentionMutations = {
  applyLineageRetention: (_: unknown, { input }: { readonly input: ApplyRetentionInput }, context: GraphqlContext) =>
    withUserErrors(NOTHING, async () => {
      const { retention, retentionPolicy: policy, actor, lineageWaitMs: timeMs, events } = context;
      const asked = { retention, policy, actor, timeMs, now: events.now };
      const { rule, report } = await underInput(() => applyLineageRetention(asked, input));
      const { runs, versions, isComplete, sequence } = report;
      return {
        ...{ olderThan: rule.before as string, keepRunsPerJob: rule.keepRunsPerJob, runs, versions, isComplete },
        commit: sequence === null ? null : commitToken(sequence),
      };
    }),
};

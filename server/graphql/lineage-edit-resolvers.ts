import {
  type EditLineageContext,
  type EditLineageEdgesInput,
  editLineageEdges,
  editRun,
} from '../commands/edit-lineage.js';
import { underInput, withUserErrors } from '../commands/user-errors.js';
import { commitToken } from './commit-token.js';
import type { GraphqlContext } from './graphql-context.js';
import { openLineageOf } from './lineage-intake-resolvers.js';

interface Input<T> {
  readonly input: T;
}

interface RunInput {
  readonly urn: string;
  readonly reason?: string | null;
}

const editEdges =
  (does: 'assert' | 'withdraw') =>
  (_: unknown, { input }: Input<EditLineageEdgesInput>, context: GraphqlContext) =>
    withUserErrors({ edges: [] as readonly object[], commit: null as string | null }, async () => {
      const { edges, sequence } = await underInput(() => editLineageEdges(contextOf(context), does, input));
      return { edges, commit: commitToken(sequence) };
    });

const editOneRun =
  (does: 'roll-back' | 'restore') =>
  (_: unknown, { input }: Input<RunInput>, context: GraphqlContext) =>
    withUserErrors({ urn: null as string | null, commit: null as string | null }, async () => {
      const { sequence } = await underInput(() => editRun(contextOf(context), does, input));
      return { urn: input.urn, commit: commitToken(sequence) };
    });

export const lineageEditMutations = {
  assertLineageEdges: editEdges('assert'),
  withdrawLineageEdges: editEdges('withdraw'),
  rollBackRun: editOneRun('roll-back'),
  restoreRun: editOneRun('restore'),
};

function contextOf(context: GraphqlContext): EditLineageContext {
  const { lineage, knowledge, retention, actor, lineageWaitMs: waitMs } = context;
  const { reader, log } = knowledge;
  return { openLineage: openLineageOf(context), lineage, reader, retention, log, actor, waitMs };
}

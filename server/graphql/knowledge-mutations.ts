import type { EntityInput, EntityReference, KnowledgeReceipt, LinkInput, LinkReference } from '#graph-store';
import { type DefineEntityKindInput, defineEntityKind } from '../commands/define-entity-kind.js';
import { withUserErrors } from '../commands/user-errors.js';
import { type KnowledgeAnswer, writeKnowledge } from '../commands/write-knowledge.js';
import { commitToken } from './commit-token.js';
import type { GraphqlContext } from './graphql-context.js';
import { entityOutcomeViews, kindView, linkOutcomeView } from './knowledge-views.js';

interface WriteInput {
  readonly atomic?: boolean | null;
  readonly allowPlaceholders?: boolean | null;
  readonly idempotencyKey?: string | null;
}

interface UpsertInput extends WriteInput {
  readonly entities?: readonly EntityInput[] | null;
  readonly links?: readonly LinkInput[] | null;
}

interface DeleteInput extends WriteInput {
  readonly entities?: readonly EntityReference[] | null;
  readonly links?: readonly LinkReference[] | null;
}

interface PurgeInput extends WriteInput {
  readonly entities: readonly EntityReference[];
}

interface Input<T> {
  readonly input: T;
}

const optionsOf = ({ atomic, allowPlaceholders, idempotencyKey }: WriteInput) => ({
  atomic: atomic ?? undefined,
  allowPlaceholders: allowPlaceholders ?? undefined,
  idempotencyKey: idempotencyKey ?? undefined,
});

export const knowledgeMutations = {
  upsert: (_: unknown, { input }: Input<UpsertInput>, { knowledge, actor }: GraphqlContext) =>
    answer(
      () =>
        writeKnowledge(knowledge.writer, actor, {
          request: { entities: input.entities ?? [], links: input.links ?? [] },
          options: optionsOf(input),
          lists: { entities: 'entities', links: 'links' },
        }),
      (receipt) => ({
        entities: entityOutcomeViews(receipt.entities, knowledge.reader),
        links: receipt.links.map(linkOutcomeView),
      }),
    ),

  delete: (_: unknown, { input }: Input<DeleteInput>, { knowledge, actor }: GraphqlContext) =>
    answer(
      () =>
        writeKnowledge(knowledge.writer, actor, {
          request: { deletions: input.entities ?? [], linkDeletions: input.links ?? [] },
          options: optionsOf(input),
          lists: { entities: 'deletions', links: 'linkDeletions' },
        }),
      (receipt) => ({
        entities: entityOutcomeViews(receipt.deletions, knowledge.reader),
        links: receipt.linkDeletions.map(linkOutcomeView),
      }),
    ),

  purge: (_: unknown, { input }: Input<PurgeInput>, { knowledge, actor }: GraphqlContext) =>
    answer(
      () =>
        writeKnowledge(knowledge.writer, actor, {
          request: { purges: input.entities },
          options: optionsOf(input),
          lists: { entities: 'purges' },
        }),
      (receipt) => ({ entities: entityOutcomeViews(receipt.purges, knowledge.reader), links: [] }),
    ),

  defineEntityKind: (_: unknown, { input }: Input<DefineEntityKindInput>, { knowledge, actor }: GraphqlContext) =>
    withUserErrors({ kind: null as ReturnType<typeof kindView> | null, commit: null as string | null }, async () => {
      const { kind, sequence } = await defineEntityKind(knowledge.kinds, actor, input);
      return { kind: kindView(kind), commit: commitToken(sequence) };
    }),
};

interface Results {
  readonly entities: ReturnType<typeof entityOutcomeViews>;
  readonly links: readonly ReturnType<typeof linkOutcomeView>[];
}

/** Each item has its result; what is wrong with the request as a whole leaves the lists empty. */
async function answer(run: () => Promise<KnowledgeAnswer>, results: (receipt: KnowledgeReceipt) => Results) {
  const nothing = { entities: [], links: [], commit: null, transactions: 0, replayed: false, refused: [] };
  const { refused, userErrors, ...payload } = await withUserErrors<Payload>(nothing, async () => {
    const { receipt, userErrors: items } = await run();
    const { sequence, transactions, replayed } = receipt;
    return { ...results(receipt), commit: commitToken(sequence), transactions, replayed, refused: items };
  });
  return { ...payload, userErrors: [...userErrors, ...refused] };
}

interface Payload extends Results {
  readonly commit: string | null;
  readonly transactions: number;
  readonly replayed: boolean;
  readonly refused: KnowledgeAnswer['userErrors'];
}

import { AppError, InputError } from '#errors';
import type {
  EntityOutcome,
  KnowledgeReceipt,
  KnowledgeWrite,
  KnowledgeWriteOptions,
  KnowledgeWriter,
  LinkOutcome,
} from '#graph-store';
import { type UserError, underInput } from './user-errors.js';

/** A write with what was wrong with its items, in the words of the mutation. */
export interface KnowledgeAnswer {
  readonly receipt: KnowledgeReceipt;
  readonly userErrors: readonly UserError[];
}

/** Which lists of the receipt the lists of the mutation's input are. */
type InputLists = Readonly<
  Partial<Record<'entities' | 'links', 'entities' | 'links' | 'deletions' | 'linkDeletions' | 'purges'>>
>;

/**
 * Writes what a user asks for.
 *
 * @throws InputError for what is wrong with the request as a whole
 */
export async function writeKnowledge(
  writer: KnowledgeWriter,
  actor: string,
  write: { request: KnowledgeWrite; options: KnowledgeWriteOptions; lists: InputLists },
): Promise<KnowledgeAnswer> {
  const receipt = await underInput(() => writer.write(write.request, { actor }, write.options).catch(asInputError));
  const userErrors = Object.entries(write.lists).flatMap(([field, list]) => refusals(field, receipt[list]));
  return { receipt, userErrors };
}

/** The only conflict of a request as a whole is that of its key. */
function asInputError(error: unknown): never {
  if (error instanceof AppError && error.code === 'CONFLICT' && !(error instanceof InputError)) {
    throw InputError.one('CONFLICT', 'idempotencyKey', 'was used for another request: choose a new one');
  }
  throw error;
}

function refusals(field: string, outcomes: readonly (EntityOutcome | LinkOutcome)[]): UserError[] {
  return outcomes.flatMap(({ refusal }, index) => {
    if (refusal === undefined) return [];
    const place = `input.${field}.${index}`;
    return [
      {
        code: refusal.code,
        field: refusal.field === '' ? place : `${place}.${refusal.field}`,
        message: refusal.message,
        elementIndex: index,
      },
    ];
  });
}

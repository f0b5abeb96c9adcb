import type { Driver } from 'neo4j-driver';
import { InputError } from '#errors';
import { BatchRefused, type RefusedItem } from './batch-refused.js';
import { CheckedRequest, LISTS } from './checked-request.js';
import { currentVersions } from './current-versions.js';
import type { GraphStore, WriteContext } from './graph-store.js';
import type {
  KindRegistry,
  KnowledgeReceipt,
  KnowledgeWrite,
  KnowledgeWriteOptions,
  KnowledgeWriter,
} from './knowledge-types.js';

/** KnowledgeWriter that holds each item against the kinds before the store sees it. */
export class CheckedKnowledgeWriter implements KnowledgeWriter {
  readonly #driver: Driver;
  readonly #store: GraphStore;
  readonly #kinds: KindRegistry;

  constructor(parts: { driver: Driver; store: GraphStore; kinds: KindRegistry }) {
    this.#driver = parts.driver;
    this.#store = parts.store;
    this.#kinds = parts.kinds;
  }

  async write(
    request: KnowledgeWrite,
    context: WriteContext,
    options: KnowledgeWriteOptions = {},
  ): Promise<KnowledgeReceipt> {
    const { atomic = false, allowPlaceholders = false, idempotencyKey } = options;
    checkIdempotencyKey(idempotencyKey);
    const checked = await this.#check(request);
    if (!checked.hasSound || (atomic && checked.hasRefused)) return this.#refuse(checked, []);
    try {
      const receipt = await this.#store.write(checked.batch(), context, {
        atomic,
        missingEnds: allowPlaceholders ? 'create' : 'refuse',
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      });
      // What is committed stays so: a look-up that fails now must not make an error of it.
      const versionOf = await currentVersions(this.#driver, checked.names('refused')).catch(() => () => 0);
      const outcomes = checked.outcomes((list, place) => {
        const result = receipt[LISTS[list]][place];
        if (result === undefined) throw new RangeError(`the store has no result for element ${place} of ${list}`);
        const { outcome, version, refusal } = result;
        return { outcome, version, ...(refusal && { refusal }) };
      }, versionOf);
      const { sequence, transactions, replayed } = receipt;
      return { sequence, transactions, replayed, ...outcomes };
    } catch (error) {
      if (error instanceof BatchRefused) return this.#refuse(checked, error.items);
      throw error;
    }
  }

  /** A name that is not known may have been defined in another process meanwhile: before it is refused the kinds are read anew. */
  async #check(request: KnowledgeWrite): Promise<CheckedRequest> {
    const checked = new CheckedRequest(request, await this.#kinds.known());
    return checked.namesUnknown ? new CheckedRequest(request, await this.#kinds.refresh()) : checked;
  }

  /** Nothing was written: the faulty items say why, the sound ones only that. */
  async #refuse(checked: CheckedRequest, refused: readonly RefusedItem[]): Promise<KnowledgeReceipt> {
    const reasons = new Map(refused.map((item) => [`${item.list} ${item.index}`, item.refusal]));
    const versionOf = await currentVersions(this.#driver, checked.names('all'));
    const outcomes = checked.outcomes((list, place, names) => {
      const refusal = reasons.get(`${LISTS[list]} ${place}`);
      return { outcome: 'refused', version: versionOf(names), ...(refusal && { refusal }) };
    }, versionOf);
    return { sequence: null, transactions: 0, replayed: false, ...outcomes };
  }
}

function checkIdempotencyKey(key: string | undefined): void {
  if (key === undefined || /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(key)) return;
  throw InputError.one('BAD_USER_INPUT', 'idempotencyKey', 'must have 1 to 200 printable characters');
}

import type { KindCatalog } from '#graph-schema';
import { edgeKey } from './edge-key.js';
import type { GraphBatch, Refusal, WriteOutcome } from './graph-store.js';
import type { EntityOutcome, KnowledgeReceipt, KnowledgeWrite, LinkOutcome } from './knowledge-types.js';
import {
  type Checked,
  checkEntity,
  checkLink,
  checkLinkReference,
  checkReference,
  type Names,
} from './knowledge-validation.js';

/** The lists of a request, each with the list of the store's batch that its items go to. */
export const LISTS = {
  entities: 'entities',
  links: 'edges',
  deletions: 'deletions',
  linkDeletions: 'edgeDeletions',
  purges: 'purges',
} as const satisfies Record<keyof KnowledgeWrite, keyof GraphBatch>;

export type ListName = keyof typeof LISTS;

/** What became of one item, what it names aside. */
interface ItemOutcome {
  readonly outcome: WriteOutcome;
  readonly version: number;
  readonly refusal?: Refusal;
}

/** Tells what became of a sound item, given its place in the batch. */
type SoundOutcome = (list: ListName, place: number, names: Names) => ItemOutcome;

/** A request whose items have each been held against the kinds. */
export class CheckedRequest {
  readonly #lists: { readonly [List in ListName]: readonly Checked<BatchItem<List>>[] };
  readonly #all: readonly Checked<Names>[];

  constructor(request: KnowledgeWrite, catalog: KindCatalog) {
    const seen: Seen = new Map();
    this.#lists = {
      entities: checkList('entities', request.entities, (item) => checkEntity(item, catalog), seen),
      links: checkList('links', request.links, (item) => checkLink(item, catalog), seen),
      deletions: checkList('deletions', request.deletions, (item) => checkReference(item, catalog), seen),
      linkDeletions: checkList(
        'linkDeletions',
        request.linkDeletions,
        (item) => checkLinkReference(item, catalog),
        seen,
      ),
      purges: checkList('purges', request.purges, (item) => checkReference(item, catalog), seen),
    };
    this.#all = Object.values(this.#lists).flat();
  }

  /** Whether a newer copy of the kinds could allow more of it. */
  get namesUnknown(): boolean {
    return this.#all.some((item) => !item.ok && item.unknownName);
  }

  get hasRefused(): boolean {
    return this.#all.some((item) => !item.ok);
  }

  get hasSound(): boolean {
    return this.#all.some((item) => item.ok);
  }

  /** The sound items. */
  batch(): GraphBatch {
    return {
      entities: soundOf(this.#lists.entities),
      edges: soundOf(this.#lists.links),
      deletions: soundOf(this.#lists.deletions),
      edgeDeletions: soundOf(this.#lists.linkDeletions),
      purges: soundOf(this.#lists.purges),
    };
  }

  /** What the refused items name, with the sound ones or without. */
  names(which: 'all' | 'refused'): Names[] {
    return this.#all.flatMap((item) => (item.ok ? (which === 'all' ? [item.value] : []) : [item.names]));
  }

  /** What became of each item, in the order of the request; refused ones are told with the version that they have now. */
  outcomes(sound: SoundOutcome, versionOf: (names: Names) => number): Pick<KnowledgeReceipt, ListName> {
    const of = <Outcome extends EntityOutcome | LinkOutcome>(list: ListName): Outcome[] => {
      let place = 0;
      return this.#lists[list].map((item) => {
        const names = item.ok ? identityOf(item.value) : item.names;
        const told = item.ok
          ? sound(list, place++, names)
          : { outcome: 'refused' as const, version: versionOf(names), refusal: item.refusal };
        return { ...names, ...told } as Outcome;
      });
    };
    return {
      entities: of('entities'),
      links: of('links'),
      deletions: of('deletions'),
      linkDeletions: of('linkDeletions'),
      purges: of('purges'),
    };
  }
}

type BatchItem<List extends ListName> = NonNullable<GraphBatch[(typeof LISTS)[List]]>[number];

/** Where in the request each thing was first named. */
type Seen = Map<string, { readonly list: ListName; readonly index: number }>;

/** Of several items for one entity or link the first counts: the others would be compared with a state that is gone. */
function checkList<Input, Item extends Names>(
  list: ListName,
  inputs: readonly Input[] | undefined,
  check: (input: Input) => Checked<Item>,
  seen: Seen,
): Checked<Item>[] {
  return (inputs ?? []).map((input, index): Checked<Item> => {
    const item = check(input);
    if (!item.ok) return item;
    const key = keyOf(item.value) ?? '';
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, { list, index });
      return item;
    }
    const where = first.list === list ? '' : ` of ${first.list}`;
    const message = `names the same as element ${first.index}${where}: name each once in a request`;
    const refusal: Refusal = { code: 'BAD_USER_INPUT', field: '', message, details: { first: first.index } };
    return { ok: false, names: identityOf(item.value), refusal, unknownName: false };
  });
}

function soundOf<Item>(items: readonly Checked<Item>[]): Item[] {
  return items.flatMap((item) => (item.ok ? [item.value] : []));
}

function identityOf(names: Names): Names {
  return 'from' in names ? { kind: names.kind, from: names.from, to: names.to } : { urn: names.urn };
}

export function keyOf(names: Names): string | null {
  return 'from' in names ? edgeKey(names) : names.urn;
}

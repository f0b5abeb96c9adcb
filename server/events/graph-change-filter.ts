import { InputError, type InputProblem } from '#errors';
import { ENTITY_LABELS, type EntityKind } from '#graph-schema';
import type { Change, ChangeItem } from '#graph-store';

const LISTS = ['kinds', 'urns', 'labels', 'changedProperties', 'actors', 'operations'] as const;

/** As clients give it; what is absent or null does not filter. */
export type GraphChangeFilter = { readonly [List in (typeof LISTS)[number]]?: readonly string[] | null };

const MAX_ENTRIES = 1_000;

/** Which items of the log a view shows. */
export interface ItemMatcher {
  /** Equal for matchers that mean the same. */
  readonly key: string;
  /** Whether any item of the change can match. */
  matchesChange(change: Pick<Change, 'actor'>): boolean;
  /** Whether an item matches by all that does not need its properties. */
  matchesItem(item: ChangeItem): boolean;
  /** @param visible the item as it is shown: what is hidden must not be found either */
  matchesProperties(visible: Pick<ChangeItem, 'before' | 'after'>): boolean;
}

/** A filter that was checked: one set a list, in one canonical spelling. */
export class ChangeMatcher implements ItemMatcher {
  readonly key: string;
  readonly #sets: { readonly [List in (typeof LISTS)[number]]?: ReadonlySet<string> };

  /** @throws InputError that names every list at fault */
  constructor(filter: GraphChangeFilter) {
    const [first, ...rest] = problemsOf(filter);
    if (first !== undefined) throw new InputError([first, ...rest]);
    const lists = LISTS.flatMap((name) => {
      const list = filter[name];
      return list == null ? [] : [[name, [...new Set(list)].sort()] as const];
    });
    this.key = JSON.stringify(lists);
    this.#sets = Object.fromEntries(lists.map(([name, list]) => [name, new Set(list)]));
  }

  matchesChange(change: Pick<Change, 'actor'>): boolean {
    return this.#sets.actors?.has(change.actor) ?? true;
  }

  matchesItem(item: ChangeItem): boolean {
    const { kinds, urns, labels, operations } = this.#sets;
    return (
      (kinds === undefined || kinds.has(item.kind)) &&
      (operations === undefined || operations.has(item.operation.toUpperCase())) &&
      (urns === undefined || urns.has(item.urn) || (item.to !== undefined && urns.has(item.to))) &&
      (labels === undefined || labelsOfItem(item).some((label) => labels.has(label)))
    );
  }

  matchesProperties(visible: Pick<ChangeItem, 'before' | 'after'>): boolean {
    const names = this.#sets.changedProperties;
    if (names === undefined) return true;
    return [visible.before, visible.after].some((values) => Object.keys(values).some((name) => names.has(name)));
  }
}

function labelsOfItem(item: ChangeItem): readonly string[] {
  if (item.to !== undefined) return [];
  const labels = Object.hasOwn(ENTITY_LABELS, item.kind) ? ENTITY_LABELS[item.kind as EntityKind] : [item.kind];
  return ['Entity', ...labels];
}

function problemsOf(filter: GraphChangeFilter): InputProblem[] {
  return LISTS.flatMap((name): InputProblem[] => {
    const length = filter[name]?.length;
    if (length === undefined || (length > 0 && length <= MAX_ENTRIES)) return [];
    const message =
      length === 0
        ? 'is empty and would match nothing: leave it out to match all'
        : `holds ${length} entries: ${MAX_ENTRIES} are the limit`;
    return [{ code: 'BAD_USER_INPUT', field: `filter.${name}`, message }];
  });
}

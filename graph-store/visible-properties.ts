import {
  type KindCatalog,
  type PropertyDefinition,
  parseUrn,
  RESERVED_PROPERTIES,
  UrnSyntaxError,
} from '#graph-schema';
import type { ChangeItem } from './graph-store.js';

type Declared = Readonly<Record<string, PropertyDefinition>>;
type Shown = Record<string, unknown>;

const RESERVED = new Set<string>(RESERVED_PROPERTIES);

/** In a change the caption and the deletion are news; the rest of what the store keeps for itself is not. */
const BOOKKEEPING = new Set<string>(RESERVED_PROPERTIES.filter((name) => name !== 'name' && name !== 'deletedAt'));

/** The properties of a node or edge as generic reads show them: no hidden ones, JSON as the value that it stands for. */
export function visibleProperties(stored: Readonly<Record<string, unknown>>, declared: Declared): Shown {
  return show(stored, declared, RESERVED);
}

/** A change as histories and events show it, by the same rules. */
export function visibleItem(item: ChangeItem, catalog: KindCatalog): ChangeItem {
  const declared =
    item.to === undefined ? declaredOfNode(item.kind, catalog) : declaredOfEdge(item.kind, item.urn, catalog);
  return { ...item, before: show(item.before, declared, BOOKKEEPING), after: show(item.after, declared, BOOKKEEPING) };
}

export function declaredOfNode(kind: string, catalog: KindCatalog): Declared {
  return catalog.find(kind)?.properties ?? NOTHING;
}

/** @param from urn of the node that the edge leaves: which edges there are is declared with its kind */
export function declaredOfEdge(kind: string, from: string, catalog: KindCatalog): Declared {
  return catalog.linksFrom(catalog.ofUrnKind(urnKindOf(from)), kind)[0]?.properties ?? NOTHING;
}

/**
 * Whether a copy of the kinds is new enough to show these properties of a node, or of an edge by the node that it leaves.
 * Entities of users' kinds hold nothing but what these declare; what Nucleus writes itself may be shown as it is stored.
 */
export function isDeclared(
  of: { readonly urn: string; readonly names: readonly string[]; readonly edge?: string },
  catalog: KindCatalog,
): boolean {
  const [kind] = catalog.ofUrnKind(urnKindOf(of.urn));
  if (kind === undefined) return false;
  if (kind.origin !== 'CUSTOM') return true;
  const declared = of.edge === undefined ? kind.properties : declaredOfEdge(of.edge, of.urn, catalog);
  return of.names.every((name) => RESERVED.has(name) || kind.keyParts.includes(name) || Object.hasOwn(declared, name));
}

const NOTHING: Declared = Object.freeze({});

/** Graphs may hold urns of before the grammar was checked: those have no kind. */
function urnKindOf(urn: string): string {
  try {
    return parseUrn(urn).kind;
  } catch (error) {
    if (error instanceof UrnSyntaxError) return '';
    throw error;
  }
}

function show(stored: Readonly<Record<string, unknown>>, declared: Declared, left: ReadonlySet<string>): Shown {
  const shown: [string, unknown][] = [];
  for (const [name, value] of Object.entries(stored)) {
    const definition = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (left.has(name) || definition?.hidden) continue;
    shown.push([name, definition?.type === 'JSON' ? parsed(value) : value]);
  }
  return Object.fromEntries(shown);
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

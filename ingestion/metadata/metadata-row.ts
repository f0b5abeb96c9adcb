import { formatUrn, type KindDefinition } from '#graph-schema';
import type { EntityInput, EntityReference, LinkInput, LinkReference, Refusal } from '#graph-store';

/** What one row of a body or file asks for, or why it cannot be taken. */
export type RowRequest =
  | { readonly is: 'entity'; readonly item: EntityInput }
  | { readonly is: 'link'; readonly item: LinkInput }
  | { readonly is: 'deletion'; readonly item: EntityReference }
  | { readonly is: 'linkDeletion'; readonly item: LinkReference }
  | { readonly is: 'refused'; readonly refusal: Refusal };

export interface MetadataRow {
  /** Place in the body, from 1; of NDJSON the number of the line. */
  readonly row: number;
  /** About what it takes in memory and in a transaction. */
  readonly bytes: number;
  readonly request: RowRequest;
}

/** Rows as they are read, some hundreds at a time. */
export type MetadataRows = AsyncIterable<readonly MetadataRow[]>;

export function refusedRow(row: number, field: string, message: string): MetadataRow {
  return { row, bytes: 64, request: { is: 'refused', refusal: { code: 'BAD_USER_INPUT', field, message } } };
}

/** The urn of an entity that is named by the parts of its key; undefined when they make none, which the writer then explains. */
export function urnOfKey(definition: KindDefinition, key: Readonly<Record<string, unknown>>): string | undefined {
  const parts = definition.keyParts.map((name) => key[name]);
  if (Object.keys(key).length !== parts.length || !parts.every((part) => typeof part === 'string' && part !== '')) {
    return undefined;
  }
  try {
    return formatUrn(definition.urnKind, parts as [string, ...string[]]);
  } catch {
    // Half of a surrogate pair, or a kind that the graph should not hold.
    return undefined;
  }
}

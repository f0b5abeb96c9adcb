import { type KindCatalog, mostSpecificKind, parseUrn } from '#graph-schema';
import type { EntityRecord } from './knowledge-types.js';
import { type Properties, propertiesFromNeo4j } from './property-values.js';
import { declaredOfNode, visibleProperties } from './visible-properties.js';

/** A row with `n`, the properties of a node, and its `labels`. */
export interface NodeRow {
  readonly n: Record<string, unknown>;
  readonly labels: readonly string[];
}

export function entityFromRow(row: NodeRow, catalog: KindCatalog): EntityRecord {
  const node = propertiesFromNeo4j(row.n);
  const kind = kindOf(row.labels, node, catalog);
  return {
    urn: String(node.urn),
    kind,
    name: String(node.name),
    labels: row.labels.filter((label) => label !== 'Entity'),
    version: Number(node.version),
    createdAt: node.createdAt as Date,
    updatedAt: node.updatedAt as Date,
    deletedAt: (node.deletedAt as Date | undefined) ?? null,
    placeholder: node.placeholder === true,
    properties: visibleProperties(node, declaredOfNode(kind, catalog)),
  };
}

/** A placeholder has no label of its own yet: what it will be is read from its urn, as far as that tells. */
function kindOf(labels: readonly string[], node: Properties, catalog: KindCatalog): string {
  return mostSpecificKind(labels) ?? catalog.ofUrnKind(parseUrn(String(node.urn)).kind).at(-1)?.name ?? 'Entity';
}

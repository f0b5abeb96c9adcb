import type { EdgeKind } from '#graph-schema';
import type { EdgeUpsert, EntityUpsert, GraphBatch, PropertyPatch } from '#graph-store';

/** What the graph is to show. Nodes and edges may be told several times; of what contradicts itself the last word stands. */
export class ProjectedBatch {
  readonly #entities = new Map<string, EntityUpsert>();
  readonly #deletions = new Set<string>();
  readonly #edges = new Map<string, EdgeUpsert & { readonly isDeleted: boolean }>();

  entity(entity: EntityUpsert & { readonly properties: PropertyPatch }): void {
    const told = this.#entities.get(entity.urn);
    this.#deletions.delete(entity.urn);
    const isForAbsent = (told?.onlyIfAbsent ?? true) && (entity.onlyIfAbsent ?? false);
    const properties = { ...told?.properties, ...entity.properties };
    this.#entities.set(entity.urn, { ...entity, properties, onlyIfAbsent: isForAbsent });
  }

  deleteEntity(urn: string): void {
    this.#entities.delete(urn);
    this.#deletions.add(urn);
  }

  edge(kind: EdgeKind, from: string, to: string, properties: PropertyPatch = {}): void {
    this.#edges.set(`${kind} ${from} ${to}`, { kind, from, to, properties, isDeleted: false });
  }

  deleteEdge(kind: EdgeKind, from: string, to: string): void {
    this.#edges.set(`${kind} ${from} ${to}`, { kind, from, to, isDeleted: true });
  }

  batch(): GraphBatch {
    const edges = [...this.#edges.values()];
    return {
      entities: [...this.#entities.values()],
      deletions: [...this.#deletions].map((urn) => ({ urn })),
      edges: edges.filter(({ isDeleted }) => !isDeleted).map(({ isDeleted: _, ...edge }) => edge),
      edgeDeletions: edges.filter(({ isDeleted }) => isDeleted).map(({ kind, from, to }) => ({ kind, from, to })),
    };
  }
}

import type { KindDefinition, PropertyDefinition } from '#graph-schema';
import type { EntityOutcome, EntityRecord, HistoryEntry, KnowledgeReader, LinkOutcome } from '#graph-store';
import { encodeEventCursor } from '../events/event-cursor.js';

export function kindView(kind: KindDefinition) {
  return {
    ...kind,
    properties: propertyViews(kind.properties),
    links: kind.links.map((link) => ({ ...link, properties: propertyViews(link.properties ?? {}) })),
  };
}

function propertyViews(properties: Readonly<Record<string, PropertyDefinition>>) {
  return Object.entries(properties)
    .filter(([, definition]) => !definition.hidden)
    .map(([name, { type, required, description }]) => ({ name, type, required: required ?? false, description }));
}

export function historyView({ change, item }: HistoryEntry) {
  const { at, actor, runId, sequence } = change;
  return {
    commit: encodeEventCursor(sequence),
    at,
    actor,
    runId,
    item: { ...item, operation: item.operation.toUpperCase() },
  };
}

export function linkOutcomeView(result: LinkOutcome) {
  return { ...result, outcome: result.outcome.toUpperCase() };
}

/** Results with the entities as they are after the write; these are read at once for all, when the first is asked for. */
export function entityOutcomeViews(results: readonly EntityOutcome[], reader: KnowledgeReader) {
  let reading: Promise<ReadonlyMap<string, EntityRecord>> | undefined;
  const written = (): Promise<ReadonlyMap<string, EntityRecord>> => {
    reading ??= readWritten(results, reader);
    return reading;
  };
  return results.map((result) => ({
    urn: result.urn,
    outcome: result.outcome.toUpperCase(),
    version: result.version,
    entity: async () => (isThere(result) ? ((await written()).get(result.urn ?? '') ?? null) : null),
  }));
}

async function readWritten(
  results: readonly EntityOutcome[],
  reader: KnowledgeReader,
): Promise<ReadonlyMap<string, EntityRecord>> {
  const urns = results.filter(isThere).flatMap(({ urn }) => urn ?? []);
  const entities = await reader.nodes(urns);
  return new Map(entities.flatMap((entity) => (entity === null ? [] : [[entity.urn, entity]])));
}

function isThere({ outcome }: EntityOutcome): boolean {
  return outcome !== 'refused' && outcome !== 'deleted' && outcome !== 'purged';
}

import type { ChangeLog, HistoryEntry } from './graph-store.js';
import type { KeysetList } from './ingestion-catalog.js';
import { checkPageSize, decodePageCursor, encodePageCursor } from './keyset-page.js';
import type { KindRegistry } from './knowledge-types.js';
import { visibleItem } from './visible-properties.js';

/** The changes of one entity, the latest first, as users may see them. */
export function entityHistory(
  log: ChangeLog,
  kinds: KindRegistry,
  urn: string,
): Pick<KeysetList<HistoryEntry>, 'page'> {
  return {
    page: async ({ first, after }) => {
      checkPageSize(first);
      const [before] = after === undefined ? [] : decodePageCursor(after, 1);
      const entries = await log.history(urn, { limit: first + 1, before });
      const shown = entries.slice(0, first);
      const catalog = await kinds.catalogFor(shown.map((entry) => entry.item));
      return {
        rows: shown.map(({ change, item }) => ({
          cursor: encodePageCursor([change.id]),
          record: { change, item: visibleItem(item, catalog) },
        })),
        hasNextPage: entries.length > first || (await endsEarly(log, urn, entries.at(-1))),
      };
    },
  };
}

/** A short page is the last one only where the log has nothing before it. */
async function endsEarly(log: ChangeLog, urn: string, last: HistoryEntry | undefined): Promise<boolean> {
  if (last === undefined || last.item.previous === null) return false;
  return (await log.history(urn, { limit: 1, before: last.change.id })).length > 0;
}

import { manualSource } from './assertion-sources.js';
import type { Interval } from './edge-validity.js';
import type { EditWord, EditWords } from './edit-words.js';

/**
 * When people vouch for an edge: from an assertion until it is withdrawn, by whomever. No run ends that, for people draw an edge
 * where runs do not tell of it. Of an assertion and a withdrawal at one time the withdrawal counts.
 */
export function editedIntervals(words: EditWords): readonly Interval[] {
  const intervals: Interval[] = [];
  let open: Interval | null = null as Interval | null;
  for (const word of inTime(words)) {
    const moment = { at: word.at, by: manualSource(word.actor) };
    if (word.does === 'assert') {
      open = { first: open === null ? moment : open.first, last: moment, closed: null };
      continue;
    }
    if (open !== null && open.first.at < word.at) intervals.push({ ...open, closed: moment });
    open = null;
  }
  return open === null ? intervals : [...intervals, open];
}

/** What was done last; null where nothing was. */
export function latestEdit(words: EditWords): EditWord | null {
  return inTime(words).at(-1) ?? null;
}

function inTime(words: EditWords): EditWord[] {
  return Object.entries(words)
    .sort(([idA, a], [idB, b]) => {
      if (a.at !== b.at) return a.at < b.at ? -1 : 1;
      if (a.does !== b.does) return a.does === 'assert' ? -1 : 1;
      return idA < idB ? -1 : 1;
    })
    .map(([, word]) => word);
}

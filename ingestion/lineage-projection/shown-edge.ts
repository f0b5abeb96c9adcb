import type { PropertyPatch } from '#graph-store';
import { type EditWord, editedIntervals, type Interval, latestEdit } from '../openlineage/index.js';
import { unionOf } from './combined-validity.js';
import type { EdgeRecord } from './record-kinds.js';

/** When an edge of one owner is valid: while events have it so, and while somebody vouches for it. */
export function shownIntervals({ intervals, edits }: EdgeRecord): readonly Interval[] {
  return edits === undefined ? intervals : unionOf([...intervals, ...editedIntervals(edits)]);
}

/** What was done to it by hand last; null where nothing was. */
export function editOf({ edits }: EdgeRecord): EditWord | null {
  return edits === undefined ? null : latestEdit(edits);
}

/** The property of an edge that tells of it; nothing for the many that no hand has touched. */
export function manualProperty(edit: EditWord | null): PropertyPatch {
  if (edit === null) return {};
  const { does, actor, at, note } = edit;
  return { manual: JSON.stringify({ does, actor, at, note }) };
}

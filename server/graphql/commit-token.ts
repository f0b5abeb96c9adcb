import { encodeEventCursor } from '../events/event-cursor.js';

/** Writes answer with the cursor of their change, so that a caller can watch or read from exactly there. */
export function commitToken(sequence: number | null): string | null {
  return sequence === null ? null : encodeEventCursor(sequence);
}

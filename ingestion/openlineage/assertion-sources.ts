import type { EventTime } from './event-time.js';

/*
 * Who asserts an edge, as a text: the urn of a run, the time of an event without one, or somebody who has drawn it by hand.
 */

const STATIC = 'static@';
const MANUAL = 'manual:';

/** The source of what an event without a run asserts. Each time is one of its own, so a later event never covers what lies between. */
export function staticSource(at: EventTime): string {
  return `${STATIC}${at}`;
}

/** The time of an event without a run, by the source that it is; null for others. */
export function staticTime(by: string): EventTime | null {
  return by.startsWith(STATIC) ? (by.slice(STATIC.length) as EventTime) : null;
}

/** The source of what somebody asserts by hand. No blank stands in it, whatever people are called. */
export function manualSource(actor: string): string {
  return `${MANUAL}${encodeURIComponent(actor)}`;
}

export function isManualSource(by: string): boolean {
  return by.startsWith(MANUAL);
}

/** The urn of the run that a source is; null for an event without one, and for a person. */
export function runOfSource(by: string): string | null {
  return by.startsWith(STATIC) || isManualSource(by) ? null : by;
}

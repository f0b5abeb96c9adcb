import type { EventTime } from './event-time.js';
import type { Finding } from './findings.js';
import type { LineageEdit } from './lineage-edit.js';
import type { Facets } from './read-facets.js';

/** What an event tells of the state of its run. */
export const EVENT_TYPES = ['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** A job or a data set, by which two events mean the same one. */
export interface QualifiedName {
  readonly namespace: string;
  readonly name: string;
}

export interface EventJob extends QualifiedName {
  readonly facets: Facets<'job'>;
}

export interface EventDataset extends QualifiedName {
  readonly facets: Facets<'dataset'>;
}

export interface EventInput extends EventDataset {
  readonly inputFacets: Facets<'input'>;
}

export interface EventOutput extends EventDataset {
  readonly outputFacets: Facets<'output'>;
}

interface BaseEvent {
  readonly at: EventTime;
  /** When it came in. Says nothing about lineage, whose order is that of `at` alone. */
  readonly receivedAt: Date;
  readonly producer: string | null;
  readonly schemaUrl: string | null;
  /** What is odd, but did not stand in the way. */
  readonly warnings: readonly Finding[];
}

export interface RunEvent extends BaseEvent {
  readonly is: 'run';
  readonly type: EventType;
  readonly run: { readonly id: string; readonly facets: Facets<'run'> };
  readonly job: EventJob;
  readonly inputs: readonly EventInput[];
  readonly outputs: readonly EventOutput[];
}

/** What a job reads and writes by design, without a run. */
export interface JobEvent extends BaseEvent {
  readonly is: 'job';
  readonly job: EventJob;
  readonly inputs: readonly EventInput[];
  readonly outputs: readonly EventOutput[];
}

interface DatasetEvent extends BaseEvent {
  readonly is: 'dataset';
  readonly dataset: EventDataset;
}

/** One event of OpenLineage 2-0-2, checked and bounded. */
export type LineageEvent = RunEvent | JobEvent | DatasetEvent;

/** Whatever stands in an inbox: an event of a client, or what somebody has edited. */
export type InboxEntry = LineageEvent | LineageEdit;

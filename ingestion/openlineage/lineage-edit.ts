import type { EventTime } from './event-time.js';

/** The edges that people may draw. Between two data sets stands a job, so such an edge is two of these. */
export type EditedEdge =
  | { readonly kind: 'FEEDS' | 'PRODUCES'; readonly from: string; readonly to: string }
  | {
      readonly kind: 'DERIVES';
      readonly from: string;
      readonly to: string;
      /** Urn of the job that makes the one column of the other; null where nobody has said. */
      readonly via: string | null;
    };

interface BaseEdit {
  /** By which two edits are the same one: a request that is repeated counts once, at its first time. */
  readonly id: string;
  readonly at: EventTime;
  /** Who edits, as the change log names them. */
  readonly actor: string;
  readonly note: string | null;
}

/** Edges that somebody vouches for, or does so no more. */
export interface EdgeEdit extends BaseEdit {
  readonly is: 'edge-edit';
  readonly does: 'assert' | 'withdraw';
  readonly edges: readonly EditedEdge[];
}

/** What a run has said counts no more, or does so again. */
export interface RunEdit extends BaseEdit {
  readonly is: 'run-edit';
  readonly does: 'roll-back' | 'restore';
  /** The id of the run, not its urn. */
  readonly run: string;
}

/** What people say of lineage, beside what events say. Edits count by their times as events do, not by their arrival. */
export type LineageEdit = EdgeEdit | RunEdit;

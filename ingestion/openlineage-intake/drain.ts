/** What is known of a drain: that it has the lease and how far the graph is, or that somebody else may have it. */
export type DrainReport =
  | {
      readonly is: 'draining';
      readonly position: number;
      /** Of the change that led there; null where there was none. */
      readonly sequence: number | null;
    }
  | { readonly is: 'standing-by' };

/** What drains an inbox, wherever it runs. */
export interface Drain {
  /** Begins to drain. Once is enough. @param onReport must not throw */
  start(onReport: (report: DrainReport) => void): void;
  /** Waits for a write under way, for nothing else. */
  stop(): Promise<void>;
}

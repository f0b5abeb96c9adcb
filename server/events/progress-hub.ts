import type { ProgressEvent } from '#ingestion/contracts';

export type ProgressListener = (event: ProgressEvent) => void;

/** Passes progress from the workers' route on to the subscribers of this process. Nothing is kept: progress is never replayed. */
export class ProgressHub {
  readonly #listeners = new Set<ProgressListener>();

  publish(event: ProgressEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  listen(listener: ProgressListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

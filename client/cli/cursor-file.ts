import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { UsageError } from './exit-codes.js';

const SAVED_EVERY_MS = 500;

/**
 * Where a `tail` has got to, so that the next one goes on there. Saved at most twice a second and at the end: after a crash
 * the last changes may be printed again, never left out.
 */
export class CursorFile {
  readonly #path: string;
  #saved: string | undefined;
  #savedAt = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns undefined when there is no file yet. @throws UsageError */
  read(): string | undefined {
    try {
      this.#saved = readFileSync(this.#path, 'utf8').trim() || undefined;
      return this.#saved;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw new UsageError(`--cursor-file cannot be read: ${code}`);
    }
  }

  saveNowAndThen(cursor: string | undefined): void {
    if (Date.now() - this.#savedAt >= SAVED_EVERY_MS) this.save(cursor);
  }

  /** By renaming, so that the file never holds half a cursor. */
  save(cursor: string | undefined): void {
    if (cursor === undefined || cursor === this.#saved) return;
    try {
      writeFileSync(`${this.#path}.tmp`, `${cursor}\n`);
      renameSync(`${this.#path}.tmp`, this.#path);
    } catch (error) {
      throw new UsageError(`--cursor-file cannot be written: ${(error as NodeJS.ErrnoException).code}`);
    }
    this.#saved = cursor;
    this.#savedAt = Date.now();
  }
}

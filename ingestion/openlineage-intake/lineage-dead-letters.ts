import { InputError } from '#errors';
import { checkPageSize, type Page, type PageRequest } from '#graph-store';
import type { DeadLetter, EventInbox } from '#kv';

/** Events that were acknowledged and could not be applied. None of them goes away by itself. */
export class LineageDeadLetters {
  readonly #inbox: EventInbox;

  constructor(inbox: EventInbox) {
    this.#inbox = inbox;
  }

  /** In order of position. @throws InputError on a foreign cursor or a page size that is out of bounds */
  async page({ first, after }: PageRequest): Promise<Page<DeadLetter>> {
    checkPageSize(first);
    const letters = await this.#inbox.deadLetters({ after: positionOf(after), limit: first + 1 });
    return {
      rows: letters.slice(0, first).map((record) => ({ cursor: cursorOf(record.position), record })),
      hasNextPage: letters.length > first,
    };
  }

  /** @returns undefined when there is no such dead letter (any more) */
  async payload(position: number): Promise<Uint8Array | undefined> {
    return (await this.#inbox.deadLetter(position))?.payload;
  }

  /**
   * Puts an event at the end of the queue once more.
   *
   * @returns its new position
   * @throws InputError NOT_FOUND when there is no such dead letter
   */
  async replay(position: number): Promise<number> {
    checkPosition(position);
    const moved = await this.#inbox.replay(position);
    if (moved === undefined) throw unknown(position);
    return moved;
  }

  /** Removes an event for good. @throws InputError NOT_FOUND when there is no such dead letter */
  async discard(position: number): Promise<void> {
    checkPosition(position);
    if (!(await this.#inbox.discard(position))) throw unknown(position);
  }
}

const CURSOR = /^d1-(\d{1,16})$/;

function cursorOf(position: number): string {
  return Buffer.from(`d1-${position}`).toString('base64url');
}

function positionOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const position = Number(CURSOR.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.[1]);
  if (Number.isSafeInteger(position)) return position;
  throw InputError.one('BAD_USER_INPUT', 'after', 'is not a cursor that this list has returned');
}

function checkPosition(position: number): void {
  if (Number.isSafeInteger(position) && position > 0) return;
  throw InputError.one('BAD_USER_INPUT', 'position', 'must be a whole number, 1 or more');
}

function unknown(position: number): InputError {
  return InputError.one('NOT_FOUND', 'position', `names no dead letter: ${position}; lineageDeadLetters lists them`);
}

import { InputError } from '#errors';
import { checkPositive } from './event-inbox-rules.js';

/** The last grant. `holder` is null before the first and after a release; `fence` is 0 before the first. */
export type LeaseState = { fence: number; holder: string | null; expiresAt: Date };

export type LeaseGrant = { ok: true; fence: number; expiresAt: Date } | { ok: false; current: LeaseState };

/** What is stored of a lease. Times are milliseconds since 1970. */
export type LeaseRecord = { fence: number; holder: string | null; expiresAtMs: number; ttlMs: number };

export const NEVER_LEASED: LeaseRecord = { fence: 0, holder: null, expiresAtMs: 0, ttlMs: 0 };

/** Where the record lies: one value with compare-and-set, durable before `swap` resolves. */
export interface LeaseCell {
  read(): Promise<{ version: number; record: LeaseRecord }>;
  /** Writes if the cell is still at that version, and moves it to the next. */
  swap(version: number, next: LeaseRecord): Promise<boolean>;
}

/**
 * The right to drain, for one holder at a time and for a limited time.
 *
 * Every grant has a fencing number higher than all before. Time alone protects nothing: a holder may be stopped for longer
 * than its lease and wake up without knowing. So the holder writes its fencing number into the graph in the transaction of
 * the events, on the condition that none higher is there; and before work that has no such transaction it asks `current`
 * whether its number is still the last one given out. Whoever finds a higher number stops, whatever its clock says.
 */
export class DrainLease {
  readonly #cell: LeaseCell;
  readonly #now: () => Date;

  constructor(cell: LeaseCell, now: () => Date) {
    this.#cell = cell;
    this.#now = now;
  }

  /**
   * Takes the lease unless somebody has it. Nobody can take it twice, so a process that was restarted waits for the end of
   * its former self's lease.
   * @param options.holder who takes it, for people and logs: nothing depends on it
   */
  async acquire(options: { holder: string; ttlMs: number }): Promise<LeaseGrant> {
    if (options.holder === '') throw InputError.one('BAD_USER_INPUT', 'holder', 'must not be empty');
    checkPositive('ttlMs', options.ttlMs);
    return this.#change((last) =>
      isHeld(last, this.#nowMs()) ? undefined : this.#granted(last.fence + 1, options.holder, options.ttlMs),
    );
  }

  /** Starts the time of the lease anew, also after it has run out, as long as nobody else has taken it. */
  async renew(options: { fence: number; ttlMs: number }): Promise<LeaseGrant> {
    checkPositive('fence', options.fence);
    checkPositive('ttlMs', options.ttlMs);
    return this.#change((last) =>
      last.fence === options.fence && last.holder !== null
        ? this.#granted(last.fence, last.holder, options.ttlMs)
        : undefined,
    );
  }

  /** Lets the next one in without a wait. @returns false when the lease was lost or given back before */
  async release(options: { fence: number }): Promise<boolean> {
    checkPositive('fence', options.fence);
    const released = await this.#change((last) =>
      last.fence === options.fence && last.holder !== null ? { ...NEVER_LEASED, fence: last.fence } : undefined,
    );
    return released.ok;
  }

  /** The last grant, run out or not. A holder whose fencing number is not in it has lost the lease. */
  async current(): Promise<LeaseState> {
    return stateOf((await this.#cell.read()).record);
  }

  async #change(decide: (last: LeaseRecord) => LeaseRecord | undefined): Promise<LeaseGrant> {
    for (;;) {
      const { version, record } = await this.#cell.read();
      const next = decide(record);
      if (next === undefined) return { ok: false, current: stateOf(record) };
      const won = await this.#cell.swap(version, next);
      if (won) return { ok: true, fence: next.fence, expiresAt: new Date(next.expiresAtMs) };
    }
  }

  #granted(fence: number, holder: string, ttlMs: number): LeaseRecord {
    return { fence, holder, expiresAtMs: this.#nowMs() + ttlMs, ttlMs };
  }

  #nowMs(): number {
    return this.#now().getTime();
  }
}

/**
 * A lease that ends much later than a lease taken now was taken before the clock was set back, and could last for years. Two
 * times its length, so that the small corrections of a clock take nobody's lease away.
 */
function isHeld(record: LeaseRecord, nowMs: number): boolean {
  const leftMs = record.expiresAtMs - nowMs;
  return record.holder !== null && leftMs > 0 && leftMs <= 2 * record.ttlMs;
}

function stateOf({ fence, holder, expiresAtMs }: LeaseRecord): LeaseState {
  return { fence, holder, expiresAt: new Date(expiresAtMs) };
}

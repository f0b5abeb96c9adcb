import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Driver, type ManagedTransaction, Neo4jError } from 'neo4j-driver';
import { AppError } from '#errors';
import { FIND_SEQUENCE } from '#graph-schema';
import { inWriteTransaction } from './neo4j-session.js';
import { Raced } from './write-transaction.js';

/** Attempts when others keep making or removing the same nodes; each attempt but the last was overtaken by a commit. */
const RACE_ATTEMPTS = 8;
const RACE_PAUSE_MS = 20;

/**
 * Runs a transaction that makes one change, again when others have made or removed its nodes meanwhile. A repeat of the driver
 * after a lost answer finds what was committed.
 *
 * @param work is given the id of the change to make, the same in all attempts
 * @throws AppError STORE_UNAVAILABLE, TIMEOUT
 */
export async function inChangeTransaction<T extends { readonly sequence: number | null }>(
  driver: Driver,
  work: (tx: ManagedTransaction, changeId: string) => Promise<T>,
  timeoutMs?: number,
): Promise<T> {
  const changeId = randomUUID().replaceAll('-', '');
  let planned: T | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inWriteTransaction(
        driver,
        async (tx) => {
          // The driver tries again when the connection breaks, also when it breaks after the commit.
          if (planned !== undefined) {
            const sequence = await committedSequence(tx, changeId);
            if (sequence !== undefined) return { ...planned, sequence };
          }
          planned = await work(tx, changeId);
          return planned;
        },
        timeoutMs,
      );
    } catch (error) {
      if (!isRace(error)) throw error;
      if (attempt === RACE_ATTEMPTS) {
        throw new AppError('STORE_UNAVAILABLE', 'other writers keep making and removing the same nodes: try again', {
          cause: error,
        });
      }
      await pause(Math.random() * RACE_PAUSE_MS * attempt);
    }
  }
}

async function committedSequence(tx: ManagedTransaction, id: string): Promise<number | undefined> {
  const found = await tx.run<{ sequence: number }>(FIND_SEQUENCE, { id });
  return found.records[0]?.get('sequence');
}

/** A node that was found can be gone when its lock is taken, and one that was missed can be there when it is to be made. */
function isRace(error: unknown): boolean {
  return (
    error instanceof Raced || (error instanceof Neo4jError && error.code === 'Neo.ClientError.Statement.EntityNotFound')
  );
}

import { constants } from 'node:os';
import { EventInboxError } from './event-inbox-error.js';
import { commitFailure } from './lmdb-commit-failure.js';

const { ENOSPC, EDQUOT, EFBIG, EIO } = constants.errno;

/**
 * A full disk, an exhausted quota and the size limit of the process all mean that the file has no room to grow. LMDB gives
 * EIO when a part of a write still found room, which is how most disks run full; a failing disk gives the same.
 */
const NO_ROOM: readonly unknown[] = [ENOSPC, EDQUOT, EFBIG, EIO];

/** The typed error for a write of lmdb-js that was rejected; nothing of its transaction is stored. */
export async function writeFailure(error: unknown): Promise<EventInboxError> {
  const cause = await commitFailure(error);
  if (cause instanceof Error && 'code' in cause && NO_ROOM.includes(cause.code)) {
    const message = 'the disk of the event inbox is full, or failing; make room and send the events again';
    return new EventInboxError('disk-full', message, { cause });
  }
  return new EventInboxError('write-failed', 'the write could not be made durable; check the disk', { cause });
}

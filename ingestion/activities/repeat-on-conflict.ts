import { AppError } from '#errors';

const ATTEMPTS = 5;

/**
 * Reads, decides and writes again when somebody else has changed the status in between. Only one run of a unit is open at a
 * time, so a conflict comes from a change of the unit or from the reconciler, and rarely twice.
 *
 * @throws AppError CONFLICT after five attempts
 */
export async function repeatOnConflict<T>(readAndWrite: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readAndWrite();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'CONFLICT' || attempt === ATTEMPTS) throw error;
    }
  }
}

import { AppError } from '#errors';

/**
 * The answer, or an error when it takes longer. The work itself is not stopped: its statements have time-outs of their own in
 * Neo4j.
 * @throws AppError TIMEOUT
 */
export async function withinTime<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `the operation took longer than ${timeoutMs} ms; a mutation may still be carried out: read before you repeat it`;
      reject(new AppError('TIMEOUT', message, { details: { limit: 'timeoutMs', value: timeoutMs } }));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

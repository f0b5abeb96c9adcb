/** lmdb-js hangs the true cause of a failed commit on the error, as a promise that rejects; unhandled it ends the process. */
export async function commitFailure(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  return Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  );
}

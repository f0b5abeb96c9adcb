import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AppError } from '#errors';

/** Bytes of one file; a run splits larger metadata into several. */
export const MAX_METADATA_FILE_BYTES = 64 * 1024 * 1024;

/** Faults of a place that no repetition mends. */
const PERMANENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'EISDIR', 'ENXIO']);

/**
 * The content of a file that a run has left. It is read once and held, so what was checked is what is used.
 *
 * @param path relative to `root`; symbolic links may not lead out of it
 * @throws AppError NOT_FOUND, FORBIDDEN, PAYLOAD_TOO_LARGE, or BAD_USER_INPUT where the content is another
 */
export async function readMetadataFile(
  root: string,
  { path, sha256 }: { path: string; sha256: string },
  maxBytes = MAX_METADATA_FILE_BYTES,
): Promise<Buffer> {
  const content = await contentOf(root, path, maxBytes).catch((error: NodeJS.ErrnoException) => {
    if (!PERMANENT.has(error.code)) throw error;
    const message = `the metadata file ${path} cannot be read (${error.code}): server and workers must reach one METADATA_ROOT`;
    throw new AppError('NOT_FOUND', message, { cause: error });
  });
  if (createHash('sha256').update(content).digest('hex') !== sha256) {
    throw new AppError(
      'BAD_USER_INPUT',
      `the metadata file ${path} is not the one that the run has left: start it again`,
    );
  }
  return content;
}

async function contentOf(root: string, path: string, maxBytes: number): Promise<Buffer> {
  const [realRoot, real] = await Promise.all([realpath(root), realpath(join(root, path))]);
  if (!real.startsWith(`${realRoot}${sep}`)) {
    throw new AppError(
      'FORBIDDEN',
      `the metadata file ${path} lies outside METADATA_ROOT: remove the link that leads there`,
    );
  }
  // Not blocking: a named pipe would wait for a writer that never comes.
  await using file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const { size } = await file.stat();
  if (size > maxBytes) {
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `the metadata file ${path} has ${size} bytes, more than ${maxBytes}: leave several smaller ones`,
      { details: { limit: 'metadataFileBytes', value: maxBytes } },
    );
  }
  return file.readFile();
}

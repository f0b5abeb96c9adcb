import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#errors';
import { type Preview, type PreviewMetadataResult, previewSchema } from '../contracts/index.js';
import { readMetadataFile } from './read-metadata-file.js';

/** Bytes of a preview's file: twice what the data worker shows, since JSON escapes some of it. */
const MAX_PREVIEW_BYTES = 16 * 1024 * 1024;

/**
 * The rows that a data worker has left for one request.
 *
 * @param requestId the one that was asked for: no answer may name the file of another
 * @throws AppError as `readMetadataFile` does, and BAD_USER_INPUT for a content that is no preview
 */
export async function takePreview(root: string, requestId: string, result: PreviewMetadataResult): Promise<Preview> {
  if (!result.path.startsWith(`${requestId}/`)) {
    throw new AppError(
      'FORBIDDEN',
      'the data worker names a file that is not of this preview: run workers of one version',
    );
  }
  const content = await readMetadataFile(root, result, MAX_PREVIEW_BYTES);
  const preview = previewSchema.safeParse(parsed(content));
  if (preview.success) return preview.data;
  // What is wrong with it may hold values, so it is not told.
  throw new AppError('BAD_USER_INPUT', 'the data worker has left no preview: run server and workers of one version');
}

function parsed(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Removes what a data worker has left for one request, if it has.
 *
 * @throws AppError STORE_UNAVAILABLE when that is not possible: rows would stay where nobody expects them
 */
export async function discardPreview(root: string, requestId: string): Promise<void> {
  try {
    await rm(join(root, requestId), { recursive: true, force: true });
  } catch (cause) {
    const message = `the file of a preview cannot be removed (${(cause as NodeJS.ErrnoException).code}): let the server write to METADATA_ROOT`;
    throw new AppError('STORE_UNAVAILABLE', message, { details: { store: 'metadata' }, cause });
  }
}

import { strToU8, zipSync } from 'fflate';

/** The first whole day that the format knows in every time zone: the same files make the same archive. */
const DATE = new Date('1980-01-02T12:00:00Z');

/**
 * An archive of small texts, stored as they are.
 *
 * @param files texts by their paths, with `/` between folders
 */
export function zipArchive(files: ReadonlyMap<string, string>): Buffer {
  const entries = Object.fromEntries([...files].map(([path, text]) => [path, strToU8(text)]));
  return Buffer.from(zipSync(entries, { level: 0, mtime: DATE }));
}

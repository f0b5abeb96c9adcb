import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SECRETS = {
  'neo4j-password': () => randomBytes(24).toString('base64url'),
  'postgres-password': () => randomBytes(24).toString('base64url'),
  /** With it the Python worker posts progress to the server. */
  'internal-token': () => randomBytes(32).toString('base64url'),
  /** 32 bytes in base64, as server and workers read it to seal and open the secrets of endpoint configs. */
  'secret-key': () => randomBytes(32).toString('base64'),
} as const;
export type SecretName = keyof typeof SECRETS;

export interface Secret {
  readonly file: string;
  readonly value: string;
}

/** Reads the secrets of the local stack; those that do not exist yet are made, for the eyes of this user only. */
export function loadSecrets(folder: string): Record<SecretName, Secret> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const names = Object.keys(SECRETS) as SecretName[];
  const entries = names.map((name) => {
    const file = join(folder, name);
    if (!existsSync(file)) createSecret(file, SECRETS[name]());
    return [name, { file, value: readFileSync(file, 'utf8').trim() }] as const;
  });
  return Object.fromEntries(entries) as Record<SecretName, Secret>;
}

/** Whole or not at all: a torn key would make every stored secret unreadable. */
function createSecret(file: string, value: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${value}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
  } finally {
    rmSync(draft);
  }
}

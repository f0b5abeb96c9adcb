import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { SETTINGS, type Setting, type SettingName, type SettingReader } from './settings.js';

type Environment = Readonly<Record<string, string | undefined>>;

type ReadBy<Reader extends SettingReader> = {
  [Name in SettingName]: Reader extends (typeof SETTINGS)[Name]['readBy'][number] ? Name : never;
}[SettingName];

type Value<Name extends SettingName> = (typeof SETTINGS)[Name] extends { default: string } | { required: true }
  ? z.output<(typeof SETTINGS)[Name]['schema']>
  : z.output<(typeof SETTINGS)[Name]['schema']> | undefined;

/** The settings of one process, by the names that they have in the environment. */
export type Config<Reader extends SettingReader> = Readonly<{ [Name in ReadBy<Reader>]: Value<Name> }>;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads the settings of one kind of process. Entry points call this once, with the environment.
 *
 * @throws ConfigError that names every setting at fault, never the value of a secret
 */
export function loadConfig<Reader extends 'server' | 'worker'>(
  reader: Reader,
  environment: Environment,
): Config<Reader> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    if (!setting.readBy.includes(reader)) continue;
    const raw = rawValue(name, setting, environment);
    if ('problem' in raw) {
      problems.push(raw.problem);
      continue;
    }
    const given = raw.text;
    if (given === undefined) {
      if (setting.required) problems.push(missing(name, setting));
      continue;
    }
    const parsed = setting.schema.safeParse(given);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${name} ${parsed.error.issues[0]?.message ?? 'is invalid'}${shownValue(setting, given)}`);
  }
  if (reader === 'server') checkExposure(values, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as Config<Reader>;
}

/** Text of a setting, which may be nowhere, or why it cannot be told. */
type RawValue = { readonly text: string | undefined } | { readonly problem: string };

function rawValue(name: string, setting: Setting, environment: Environment): RawValue {
  // An empty variable is how .env files and Compose say "not set".
  const given = environment[name] || undefined;
  const file = setting.secret ? environment[`${name}_FILE`] || undefined : undefined;
  if (given !== undefined && file !== undefined) {
    return { problem: `${name} and ${name}_FILE are both set: keep one` };
  }
  if (file === undefined) return { text: given ?? setting.default };
  try {
    return { text: readFileSync(file, 'utf8').trim() || undefined };
  } catch (error) {
    return { problem: `${name}_FILE names a file that cannot be read: ${(error as NodeJS.ErrnoException).code}` };
  }
}

function missing(name: string, setting: Setting): string {
  return `${name}${setting.secret ? ` (or ${name}_FILE)` : ''} is not set: ${setting.description}`;
}

function shownValue(setting: Setting, given: string): string {
  return setting.secret ? '' : `, got ${JSON.stringify(given)}`;
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

function checkExposure(values: Record<string, unknown>, problems: string[]): void {
  if (typeof values.HOST === 'string' && !isLoopback(values.HOST) && values.NUCLEUS_API_TOKEN === undefined) {
    problems.push(
      `HOST ${JSON.stringify(values.HOST)} is not loopback: set NUCLEUS_API_TOKEN too, or bind to 127.0.0.1`,
    );
  }
}

import { readFileSync } from 'node:fs';
import { REPOSITORY_ROOT } from '#stack';

const page = readFileSync(`${REPOSITORY_ROOT}/docs/openlineage.md`, 'utf8');

interface Target {
  readonly url: string;
  readonly token: string;
}

/** The variables that docs/openlineage.md gives to programs with openlineage-python, for a server of the test. */
export function documentedVariables(target: Target): Record<string, string> {
  return settings(/^export (\w+)='?(.*?)'?$/gm, target);
}

/** The properties that docs/openlineage.md gives to Spark, for a server of the test. */
export function documentedSparkProperties(target: Target): Record<string, string> {
  return settings(/^(spark\.\S+) +(\S+)$/gm, target);
}

function settings(line: RegExp, { url, token }: Target): Record<string, string> {
  const found = [...page.matchAll(line)].map(([, name = '', value = '']) => [
    name,
    value.replace('http://nucleus:4000', url).replace('<token>', token),
  ]);
  if (found.length === 0) throw new Error('docs/openlineage.md has no such settings');
  return Object.fromEntries(found);
}

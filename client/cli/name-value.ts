import { UsageError } from './exit-codes.js';

/** `name=value` arguments; a value may hold `=` itself. @param flag for the message */
export function nameValues(given: readonly string[], flag: string): Record<string, string> {
  const pairs = given.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`${flag} takes name=value, got ${JSON.stringify(text)}`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  const names = new Set<string>();
  for (const [name] of pairs) {
    if (names.has(name)) throw new UsageError(`${flag} gives ${JSON.stringify(name)} twice`);
    names.add(name);
  }
  return Object.fromEntries(pairs);
}

/** `name=<JSON>` arguments. */
export function nameJsonValues(given: readonly string[], flag: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(nameValues(given, flag)).map(([name, text]) => {
      try {
        return [name, JSON.parse(text) as unknown];
      } catch {
        throw new UsageError(`${flag} ${name} is not JSON; a text is given by --set, or in double quotes`);
      }
    }),
  );
}

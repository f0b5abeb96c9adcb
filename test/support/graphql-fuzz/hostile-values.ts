import type { Chooser } from './chooser.js';

/** Texts that have broken something somewhere. The plain ones come first: they are what a counterexample shrinks to. */
const TEXTS = [
  'a',
  '',
  ' ',
  'name',
  'Dataset',
  'FEEDS',
  'nucleus:dataset:fuzz:a',
  'nucleus:dataset:fuzz',
  'nucleus:nokind:x:y:z',
  'nucleus:dataset:%ZZ:%00',
  'nucleus:::',
  '0',
  '-1',
  'NaN',
  'null',
  'true',
  '2026-01-31T08:00:00Z',
  '2026-02-30T25:61:61Z',
  '+275761-01-01T00:00:00Z',
  '__proto__',
  'constructor',
  'toString',
  '`) DETACH DELETE n //',
  "' OR 1=1 RETURN *; //",
  '`; MATCH (n) DETACH DELETE n; //`',
  '}) RETURN 1 UNION MATCH (n) RETURN n //',
  '*:*',
  '*',
  '?',
  'AND',
  'a AND',
  'OR OR NOT',
  'name:/[a-/',
  '"unclosed',
  '(((((',
  '[a TO',
  'a~9999999',
  'a^1e999',
  '\\',
  '+-&&||!(){}[]^"~*?:\\/',
  'eyJ2IjoxLCJrIjpbImEiXX0',
  'eyJ2IjoxfQ==',
  'djE6OTk5OTk5OTk5OTk5OTk5OTk5OQ',
  '99999999999999999999999999',
  '\u0000',
  'a\u0001b\u001f',
  '\u007f\u0080\u009f',
  '\u2028\u2029',
  '\ud800',
  'x\udc00y',
  '\ufeff\u200b',
  '‮abc',
  '😀'.repeat(20),
  'İıſK',
  'ﷺ'.repeat(50),
  'e\u0301'.repeat(100),
  'word '.repeat(500),
  'a'.repeat(5_000),
  'é'.repeat(40_000),
  '../../../../etc/passwd',
  'http://127.0.0.1:1/',
  '{"a":1}',
  '[1,2',
] as const;

const NUMBERS = [
  1,
  0,
  2,
  10,
  -1,
  50,
  500,
  501,
  100_000,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  2 ** 53,
  -(2 ** 53) - 2,
  1e308,
  5e-324,
  0.1,
  -0,
  1.5,
] as const;

/** What there is, so that some requests find it. */
export interface KnownNames {
  /** Urns, ids, kinds, cursors. */
  readonly texts: readonly string[];
  /** Names of properties and of parts of keys. */
  readonly members: readonly string[];
}

export const hostileText = (choose: Chooser, known: KnownNames): string =>
  known.texts.length > 0 && choose.upTo(2) === 1 ? choose.one(known.texts) : choose.one(TEXTS);

const memberName = (choose: Chooser, known: KnownNames): string =>
  known.members.length > 0 && choose.upTo(4) > 0 ? choose.one(known.members) : choose.one(TEXTS);

export const hostileNumber = (choose: Chooser): number => choose.one(NUMBERS);

/** Any JSON, in shapes that readers of JSON trip over. */
export function hostileJson(choose: Chooser, known: KnownNames, depth = 0): unknown {
  switch (choose.upTo(depth > 3 ? 5 : 8)) {
    case 0:
      return hostileText(choose, known);
    case 1:
      return hostileNumber(choose);
    case 2:
      return null;
    case 3:
      return choose.one([true, false]);
    case 4:
      return choose.one([[], {}, [[]], [null], [{}], { '': '' }, [1, 'a', null, { b: [] }]]);
    case 5:
      return Array.from({ length: choose.upTo(4) }, () => hostileJson(choose, known, depth + 1));
    case 6:
      return hostileObject(choose, known, depth + 1);
    default: {
      let deep: unknown = 1;
      for (let level = choose.upTo(60); level > 0; level -= 1) deep = choose.upTo(2) === 0 ? [deep] : { a: deep };
      return deep;
    }
  }
}

export function hostileObject(choose: Chooser, known: KnownNames, depth = 0): Record<string, unknown> {
  const entries = Array.from({ length: choose.upTo(5) }, () => [
    memberName(choose, known),
    hostileJson(choose, known, depth),
  ]);
  // Not through assignment, which would make `__proto__` the prototype.
  return Object.fromEntries(entries) as Record<string, unknown>;
}

import { InputError } from '#errors';

/** Bounds of a search text. */
export const SEARCH_LIMITS = { characters: 500, words: 20 } as const;

/** Lucene makes an automaton of a pattern, which of a long one takes seconds or fails; a phrase has no such cost. */
const PATTERN_LIMITS = { wordCharacters: 64, characters: 200 } as const;

/** Fields in which a word may begin anywhere in a longer one: `order` is found in `shop.public.order_items` and `OrderItems`. */
const NAME_FIELDS = [
  { field: 'name', weight: 4 },
  { field: 'namespace', weight: 1 },
] as const;

/** Fields of sentences, where a word is a word. */
const TEXT_FIELDS = [
  { field: 'description', weight: 1 },
  { field: 'definition', weight: 1 },
] as const;

/**
 * The words that a search looks for: runs of letters and digits, in small letters. Nothing else gets through, so a search
 * can hold no operator of the query language.
 *
 * @throws InputError for a text without a word, or over `SEARCH_LIMITS`
 */
export function searchWords(text: string): readonly [string, ...string[]] {
  if (text.length > SEARCH_LIMITS.characters) {
    throw wrong(`has ${text.length} characters, where ${SEARCH_LIMITS.characters} are allowed`);
  }
  const words = new Set(
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [],
  );
  if (words.size > SEARCH_LIMITS.words) {
    throw wrong(`has ${words.size} words, where ${SEARCH_LIMITS.words} are allowed`);
  }
  const [first, ...rest] = words;
  if (first === undefined) throw wrong('holds no letter and no digit: give a word to look for');
  return [first, ...rest];
}

/**
 * A Lucene query: every word must occur. A whole word counts more than the beginning of one, that more than a part, and a
 * name more than a description; the name that is just the words counts most. Words too long for a pattern are found whole only.
 */
export function searchQuery(words: readonly [string, ...string[]]): string {
  const required = words.map((word, index) => `+(${clauses(word, index === words.length - 1).join(' ')})`);
  const whole = words.length > 1 ? ` name:"${words.join(' ')}"^8` : '';
  const name = words.join('[._]');
  const just = name.length > PATTERN_LIMITS.characters ? '' : ` name:/${name}/^20`;
  return `${required.join(' ')}${just}${whole}`;
}

function clauses(word: string, isLast: boolean): string[] {
  const hasPatterns = word.length <= PATTERN_LIMITS.wordCharacters;
  const inNames = NAME_FIELDS.flatMap(({ field, weight }) => [
    // The phrase goes through the analyzer, which cuts scripts without spaces into characters.
    `${field}:"${word}"^${2 * weight}`,
    ...(hasPatterns
      ? [
          `${field}:/(.*[._])?${word}([._].*)?/^${2 * weight}`,
          `${field}:/(.*[._])?${word}.*/^${weight}`,
          `${field}:*${word}*^${weight / 2}`,
        ]
      : []),
  ]);
  const inTexts = TEXT_FIELDS.flatMap(({ field, weight }) => [
    `${field}:"${word}"^${weight}`,
    ...(isLast && hasPatterns ? [`${field}:${word}*^${weight / 2}`] : []),
  ]);
  return [...inNames, ...inTexts];
}

function wrong(message: string): InputError {
  return InputError.one('BAD_USER_INPUT', 'text', message);
}

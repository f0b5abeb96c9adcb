import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highlights } from '../../graph-store/search-highlights.js';
import { SEARCH_LIMITS, searchQuery, searchWords } from '../../graph-store/search-query.js';

/** Any UTF-16 units, halves of surrogate pairs too. */
const texts = fc.array(fc.nat(0xffff), { maxLength: 200 }).map((units) => String.fromCharCode(...units));

describe('the words of a search', () => {
  it.each([
    ['Order items', ['order', 'items']],
    ['shop.public.order_items', ['shop', 'public', 'order', 'items']],
    ['order ORDER', ['order']],
    ['name:* OR (x AND "y~") /.*/ \\', ['name', 'or', 'x', 'and', 'y']],
    ['注文 Größe', ['注文', 'größe']],
  ])('of %j are %j', (text, words) => {
    expect(searchWords(text)).toEqual(words);
  });

  it.each(['', '  ', '*?~^:"()[]{}/\\', '🙂'])('are missed in %j', (text) => {
    expect(() => searchWords(text)).toThrow('text holds no letter and no digit');
  });

  it('are bounded', () => {
    expect(() => searchWords('x'.repeat(10_000))).toThrow(`where ${SEARCH_LIMITS.characters} are allowed`);
    expect(() => searchWords(Array.from({ length: 21 }, (_, i) => `w${i}`).join(' '))).toThrow('has 21 words');
  });

  it('hold no sign of the query language', () => {
    fc.assert(
      fc.property(texts, (text) => {
        let words: readonly [string, ...string[]];
        try {
          words = searchWords(text);
        } catch {
          return;
        }
        expect(words.filter((word) => !/^[\p{L}\p{N}\p{M}]+$/u.test(word))).toEqual([]);
      }),
    );
  });
});

describe('the query of a search', () => {
  const patternsOf = (text: string): string[] => searchQuery(searchWords(text)).match(/\/[^/]+\/|\S*\*\S*/g) ?? [];

  it('makes no pattern of a word that is long, and one of all words only when they are short', () => {
    expect(patternsOf('x'.repeat(500))).toEqual([]);
    expect(patternsOf('x'.repeat(64))).not.toEqual([]);
    const many = Array.from({ length: 20 }, (_, index) => `${index}${'x'.repeat(20)}`).join(' ');
    expect(patternsOf(many).filter((pattern) => pattern.length > 100)).toEqual([]);
  });
});

describe('what a search shows of an entity', () => {
  it('marks each word where it stands, in any spelling of its case', () => {
    expect(
      highlights({ name: 'shop.Order_ITEMS', description: 'Items of an order', other: 'order' }, ['order', 'items']),
    ).toEqual([
      { property: 'name', text: 'shop.**Order**_**ITEMS**' },
      { property: 'description', text: '**Items** of an **order**' },
    ]);
  });

  it('marks the longer of two words that begin alike', () => {
    expect(highlights({ name: 'orders' }, ['order', 'orders'])).toEqual([{ property: 'name', text: '**orders**' }]);
  });

  it('cuts a long text around the first word, never inside a character', () => {
    const text = `${'🙂'.repeat(200)} order ${'🙂'.repeat(200)}`;
    const [shown] = highlights({ description: text }, ['order']);
    expect(shown?.text).toMatch(/^…(🙂)+ \*\*order\*\* (🙂)+…$/u);
    expect(shown?.text.length).toBeLessThan(260);
  });
});

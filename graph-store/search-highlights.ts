/** How much of a long text is shown around the first word that was found, in characters. */
const SNIPPET = { before: 60, length: 240 } as const;

/** Properties that a search reads, in the order in which they are shown. */
const SEARCHED = ['name', 'namespace', 'description', 'definition'] as const;

/** Where the words of a search stand in an entity, with `**` around each. */
export function highlights(
  texts: Readonly<Record<string, unknown>>,
  words: readonly string[],
): { property: string; text: string }[] {
  // The longest first: of two words that begin alike the whole one is marked.
  const found = new RegExp([...words].sort((a, b) => b.length - a.length).join('|'), 'giu');
  return SEARCHED.flatMap((property) => {
    const text = texts[property];
    if (typeof text !== 'string') return [];
    const composed = text.normalize('NFC');
    const first = composed.search(found);
    if (first < 0) return [];
    return [{ property, text: snippet(composed, first).replace(found, '**$&**') }];
  });
}

function snippet(text: string, at: number): string {
  if (text.length <= SNIPPET.length) return text;
  const start = whole(text, Math.max(0, at - SNIPPET.before));
  const end = whole(text, Math.min(text.length, start + SNIPPET.length));
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`;
}

/** Moves a cut off the middle of a surrogate pair. */
function whole(text: string, at: number): number {
  return /[\uDC00-\uDFFF]/.test(text[at] ?? '') ? at + 1 : at;
}

/**
 * Urn grammar: `nucleus:<kind>:<part>[:<part>…]`. Kinds are lower-case words joined by `-`; parts are non-empty and
 * percent-encoded as in RFC 3986, so a `:` never occurs inside one and two different part lists never print the same urn.
 */
export type Urn = `nucleus:${string}`;

const KIND_PATTERN = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

export class UrnSyntaxError extends Error {
  override readonly name = 'UrnSyntaxError';
}

export function formatUrn(kind: string, parts: readonly [string, ...string[]]): Urn {
  if (!KIND_PATTERN.test(kind))
    throw new UrnSyntaxError(`"${kind}" is not a urn kind: use lower-case words joined by "-"`);
  return `nucleus:${kind}:${parts.map(encodePart).join(':')}`;
}

/** @throws UrnSyntaxError when the text is not a urn in its one canonical spelling. */
export function parseUrn(urn: string): { kind: string; parts: string[] } {
  const [scheme, kind, ...encoded] = urn.split(':');
  if (scheme !== 'nucleus' || kind === undefined || !KIND_PATTERN.test(kind) || encoded.length === 0) {
    throw new UrnSyntaxError(`"${urn}" is not of the form nucleus:<kind>:<part>[:<part>…]`);
  }
  const parts = encoded.map((part) => decodePart(urn, part));
  if (formatUrn(kind, parts as [string, ...string[]]) !== urn) {
    throw new UrnSyntaxError(
      `"${urn}" is not in canonical spelling: percent-encode each part as encodeURIComponent does`,
    );
  }
  return { kind, parts };
}

/** The last part of a urn, for people to read where a node has no name of its own. */
export function captionOf(urn: string): string {
  const last = urn.slice(urn.lastIndexOf(':') + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Most parts are plain names, and looking takes a fraction of the time of encoding. */
const PLAIN = /^[\w.~-]+$/;

function encodePart(part: string): string {
  if (PLAIN.test(part)) return part;
  if (part === '') throw new UrnSyntaxError('a part of a urn is empty');
  try {
    return encodeURIComponent(part);
  } catch {
    throw new UrnSyntaxError('a part of a urn holds half of a surrogate pair, which is not a character');
  }
}

function decodePart(urn: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new UrnSyntaxError(`"${urn}" holds a broken percent-encoding in "${part}"`);
  }
}

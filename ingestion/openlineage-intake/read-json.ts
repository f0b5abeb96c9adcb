import type { Finding } from '../openlineage/index.js';

export type ReadJson = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: Finding };

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** A body as JSON in UTF-8, or why it is none. A byte order mark is passed over. */
export function readJson(body: Uint8Array): ReadJson {
  let text: string;
  try {
    text = UTF_8.decode(body);
  } catch {
    return fault('must be JSON in UTF-8, and has bytes that are no UTF-8');
  }
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    // The rest of the engine's message may quote the body, which may hold what must not be shown.
    const [, at] = /at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    return fault(at === undefined ? 'must be JSON' : `must be JSON, and is not from character ${Number(at) + 1} on`);
  }
}

function fault(rule: string): ReadJson {
  return { ok: false, fault: { path: '', rule } };
}

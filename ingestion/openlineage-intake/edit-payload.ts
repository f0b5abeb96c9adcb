import { z } from 'zod';
import { type LineageEdit, readEventTime } from '../openlineage/index.js';
import type { ReadJson } from './read-json.js';

/**
 * Edits lie in the inbox between events. What clients post is JSON, and nothing that begins like this is, so no event can pass for an
 * edit.
 */
const MARK = Buffer.from('nucleus-edit ');

const urn = z.string().startsWith('nucleus:');
const time = z.string().transform((text, context) => {
  const at = readEventTime(text);
  if (at !== null) return at;
  context.addIssue({ code: 'custom', message: 'must be an instant' });
  return z.NEVER;
});
const base = { id: z.string(), at: time, actor: z.string(), note: z.string().nullable() };
const edge = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['FEEDS', 'PRODUCES']), from: urn, to: urn }),
  z.object({ kind: z.literal('DERIVES'), from: urn, to: urn, via: urn.nullable() }),
]);
const edit = z.discriminatedUnion('is', [
  z.object({ is: z.literal('edge-edit'), ...base, does: z.enum(['assert', 'withdraw']), edges: z.array(edge) }),
  z.object({ is: z.literal('run-edit'), ...base, does: z.enum(['roll-back', 'restore']), run: z.string().min(1) }),
]) satisfies z.ZodType<LineageEdit>;

export function editPayload(value: LineageEdit): Uint8Array {
  return Buffer.concat([MARK, Buffer.from(JSON.stringify(value))]);
}

export function isEditPayload(payload: Uint8Array): boolean {
  return MARK.equals(payload.subarray(0, MARK.length));
}

/** What follows the mark. */
export function editBody(payload: Uint8Array): Uint8Array {
  return payload.subarray(MARK.length);
}

type ReadEdit =
  | { readonly ok: true; readonly edit: LineageEdit }
  | { readonly ok: false; readonly faults: readonly { readonly path: string; readonly rule: string }[] };

/** Fails for what another version of this server has written. */
export function readEdit(json: ReadJson): ReadEdit {
  if (!json.ok) return { ok: false, faults: [json.fault] };
  const read = edit.safeParse(json.value);
  if (read.success) return { ok: true, edit: read.data };
  return { ok: false, faults: read.error.issues.map(({ path, message }) => ({ path: path.join('.'), rule: message })) };
}

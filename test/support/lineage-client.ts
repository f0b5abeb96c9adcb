import type { HttpApp } from './http-app.js';

export interface LineageAnswer {
  readonly status: number;
  /** Value of the header `Nucleus-Inbox-Token`. */
  readonly token: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: a test selects its fields by hand and asserts on them at once
  readonly json: any;
}

/** Sends a body as a client of OpenLineage does; what is no text and no bytes goes as JSON. */
export async function postLineage(
  app: HttpApp,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<LineageAnswer> {
  const sent = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const json = { 'content-type': 'application/json', ...headers };
  const answer = await app.call('POST', `/api/v1/lineage${path}`, json, sent);
  return {
    status: answer.status,
    token: answer.headers['nucleus-inbox-token'],
    json: answer.text === '' ? undefined : JSON.parse(answer.text),
  };
}

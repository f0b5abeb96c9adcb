const UPSERT = `mutation ($input: UpsertInput!) {
  upsert(input: $input) { commit userErrors { code field message elementIndex } }
}`;

/** Body of a GraphQL request. */
export function upsertBody(entities: readonly object[]): string {
  return JSON.stringify({ query: UPSERT, variables: { input: { entities } } });
}

/** Sends a body and has the answer agree that nothing was refused. */
export async function send(url: string, body: string | Uint8Array<ArrayBuffer>, contentType: string): Promise<void> {
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': contentType } });
  const answer = (await response.json()) as { refused?: number; data?: { upsert: { userErrors: unknown[] } } };
  const refused = answer.refused ?? answer.data?.upsert.userErrors.length;
  if (!response.ok || refused !== 0) throw new Error(`not all was written: ${JSON.stringify(answer).slice(0, 500)}`);
}

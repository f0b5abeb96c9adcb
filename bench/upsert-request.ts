import type { EntityUpsert } from '#graph-store';

const UPSERT = `mutation ($input: UpsertInput!) {
  upsert(input: $input) { commit userErrors { code field message elementIndex } }
}`;

/** Rows of one GraphQL request: what careful clients send, and about the most that the limit of a body takes. */
export const GRAPHQL_ROWS = { usual: 100, most: 1_000 };

/** Data sets with what a user of GraphQL may set of them. */
export function settable(rows: readonly EntityUpsert[]): EntityUpsert[] {
  return rows.map(({ kind, urn, properties }) => {
    const {
      description = null,
      type = null,
      format = null,
      rowCount = null,
      sizeBytes = null,
      externalUrl = null,
    } = properties ?? {};
    return { kind, urn, properties: { description, type, format, rowCount, sizeBytes, externalUrl } };
  });
}

export function graphqlBodies(rows: readonly EntityUpsert[], perRequest: number): string[] {
  const entities = settable(rows).map(({ urn, properties }) => ({ urn, properties }));
  return Array.from({ length: Math.ceil(rows.length / perRequest) }, (_, batch) => {
    return upsertBody(entities.slice(batch * perRequest, (batch + 1) * perRequest));
  });
}

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

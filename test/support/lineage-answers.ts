import { captionOf } from '#graph-schema';
import type { HttpApp } from './http-app.js';

/** Nodes as `orders@1`, text that is easy to read. */
export function told({ nodes }: { readonly nodes: readonly { urn: string; depth: number }[] }): string[] {
  return nodes.map(({ urn, depth }) => `${captionOf(urn)}@${depth}`);
}

/** The code of the error of a query, and the arguments that it names. */
export async function problemsOf(
  app: HttpApp,
  query: string,
  variables: Record<string, unknown>,
): Promise<readonly unknown[]> {
  const { errors } = await app.graphql(query, variables);
  const { code, details } = (errors?.[0]?.extensions ?? {}) as {
    code?: string;
    details?: { problems?: { field: string }[] };
  };
  return [code, ...(details?.problems ?? []).map(({ field }) => field)];
}

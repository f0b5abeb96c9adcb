import { ERROR_REGISTRY, REQUEST_ERROR_REGISTRY } from '#errors';

/** No request, however hostile, is a fault or an outage of a server whose stores are up. */
const FAULTS = ['INTERNAL_SERVER_ERROR', 'STORE_UNAVAILABLE', 'TIMEOUT'];
const EXPECTED = new Set(
  Object.keys({ ...REQUEST_ERROR_REGISTRY, ...ERROR_REGISTRY }).filter((code) => !FAULTS.includes(code)),
);

/** A walk of the small graph of the fuzzer, with plans that Neo4j has still to make. */
const AMPLE_MS = 5_000;

interface GraphQLFault {
  readonly message: string;
  readonly extensions?: {
    readonly code?: unknown;
    readonly details?: { readonly limit?: unknown; readonly value?: unknown };
  };
}

/** Who asks for lineage within a millisecond gets a TIMEOUT. */
function isExpected({ extensions: { code, details } = {} }: GraphQLFault): boolean {
  if (code === 'TIMEOUT') return details?.limit === 'deadlineMs' && Number(details.value) < AMPLE_MS;
  return EXPECTED.has(String(code));
}

/** What is wrong with the answer to a hostile operation; undefined when it is data, or an error that blames the request. */
export function flawOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return `no GraphQL answer: ${JSON.stringify(answer)}`;
  const { errors = [] } = answer as { errors?: readonly GraphQLFault[] };
  const unexpected = errors.filter((error) => !isExpected(error));
  return unexpected.length === 0 ? undefined : JSON.stringify(unexpected.slice(0, 3));
}

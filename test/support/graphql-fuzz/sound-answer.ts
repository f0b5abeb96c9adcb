import { ERROR_REGISTRY, REQUEST_ERROR_REGISTRY } from '#errors';

/** No request, however hostile, is a fault or an outage of a server whose stores are up. */
const FAULTS = ['INTERNAL_SERVER_ERROR', 'STORE_UNAVAILABLE', 'TIMEOUT'];
const EXPECTED = new Set(
  Object.keys({ ...REQUEST_ERROR_REGISTRY, ...ERROR_REGISTRY }).filter((code) => !FAULTS.includes(code)),
);

/** What is wrong with the answer to a hostile operation; undefined when it is data, or an error that blames the request. */
export function flawOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return `no GraphQL answer: ${JSON.stringify(answer)}`;
  const { errors = [] } = answer as { errors?: readonly { message: string; extensions?: { code?: unknown } }[] };
  const unexpected = errors.filter((error) => !EXPECTED.has(String(error.extensions?.code)));
  return unexpected.length === 0 ? undefined : JSON.stringify(unexpected.slice(0, 3));
}

import type {
  EndpointCheck,
  EndpointCheckStatus,
  TestMetadataEndpointInput,
  TestMetadataEndpointPayload,
} from '../endpoint-types.js';
import { OPERATIONS } from '../operations.js';
import { accepted } from './accepted.js';
import type { Session } from './cli-command.js';
import { EXIT_CODES } from './exit-codes.js';
import type { Colour, Output } from './output.js';

const COLOUR_OF: Readonly<Record<EndpointCheckStatus, Colour>> = { PASSED: 'green', FAILED: 'red', SKIPPED: 'dim' };

/** Prints what each step has found. @returns the exit code: 1 for a test that has not passed */
export async function testEndpoint(
  input: TestMetadataEndpointInput,
  { client, output, signal }: Session,
): Promise<number> {
  const payload = await client.graphql<{ testMetadataEndpoint: TestMetadataEndpointPayload }>(
    OPERATIONS.testMetadataEndpoint,
    { input },
    { signal },
  );
  const { test } = accepted(payload.testMetadataEndpoint);
  await output.result(test, () => {
    const error = test?.error ? [`${output.paint('red', test.error.code)} ${test.error.message}`] : [];
    return [...(test?.checks ?? []).map((check) => lineOf(check, output)), ...error].join('\n');
  });
  return test?.passed ? EXIT_CODES.ok : EXIT_CODES.internal;
}

function lineOf({ status, title, code, message, field, durationMs }: EndpointCheck, output: Output): string {
  const fault = [code, field].filter((part) => part !== null).join(' ');
  const found = [fault, message].filter((part) => part !== null && part !== '').join(': ');
  const time = status === 'SKIPPED' ? '' : ` ${output.paint('dim', `${durationMs} ms`)}`;
  const line = `${output.paint(COLOUR_OF[status], status.toLowerCase().padEnd(8))}${title}${time}`;
  return found === '' ? line : `${line}\n${' '.repeat(8)}${found}`;
}

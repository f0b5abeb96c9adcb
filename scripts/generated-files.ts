import { printSchema } from 'graphql';
import { z } from 'zod';
import { configurationPage, envExample } from '#config';
import { ERROR_REGISTRY, REQUEST_ERROR_REGISTRY } from '#errors';
import {
  collectMetadataInputSchema,
  collectMetadataResultSchema,
  previewMetadataInputSchema,
  previewMetadataResultSchema,
  runIngestionUnitInputSchema,
  runIngestionUnitResultSchema,
  templateListSchema,
  testEndpointInputSchema,
  testEndpointResultSchema,
  workerEventsSchema,
} from '#ingestion/contracts';
import { createExecutableSchema } from '../server/index.js';

const CONTRACTS = {
  'run-ingestion-unit-input': runIngestionUnitInputSchema,
  'run-ingestion-unit-result': runIngestionUnitResultSchema,
  'template-list': templateListSchema,
  'test-endpoint-input': testEndpointInputSchema,
  'test-endpoint-result': testEndpointResultSchema,
  'preview-metadata-input': previewMetadataInputSchema,
  'preview-metadata-result': previewMetadataResultSchema,
  'collect-metadata-input': collectMetadataInputSchema,
  'collect-metadata-result': collectMetadataResultSchema,
  'worker-events': workerEventsSchema,
};

/** Every file that is made from code, by its path from the root of the repository. */
export async function generatedFiles(): Promise<Record<string, string>> {
  const contracts = Object.entries(CONTRACTS).map(([name, schema]) => [
    `python-bridge/runtime_common/contracts/${name}.schema.json`,
    `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2)}\n`,
  ]);
  return {
    ...Object.fromEntries(contracts),
    '.env.example': envExample(),
    'docs/configuration.md': configurationPage(),
    'docs/errors.md': errorsPage(),
    'docs/schema.graphql': await printedSchema(),
  };
}

/** The API as clients see it; code generators take it from here. */
async function printedSchema(): Promise<string> {
  return `${printSchema(await createExecutableSchema({}))}\n`;
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_REGISTRY).map(
    ([code, entry]) =>
      `| \`${code}\` | ${entry.status} | ${entry.retryable ? 'yes' : 'no'} | ${entry.meaning} | ${entry.remedy} |`,
  );
  return [
    '# Errors',
    '',
    'Made by `npm run generate` from `errors/error-registry.ts`. GraphQL errors carry the code in `extensions.code`, expected',
    'failures of a mutation in its `userErrors`, plain routes in `error.code`. `retryable` says whether the same request may',
    'succeed later without change.',
    '',
    '| code | HTTP status | retryable | meaning | what to do |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Requests that are no valid GraphQL',
    '',
    'These codes come from GraphQL itself, before anything is carried out, and none of them is retryable.',
    '',
    '| code | meaning | what to do |',
    '|---|---|---|',
    ...Object.entries(REQUEST_ERROR_REGISTRY).map(
      ([code, { meaning, remedy }]) => `| \`${code}\` | ${meaning} | ${remedy} |`,
    ),
    '',
  ].join('\n');
}

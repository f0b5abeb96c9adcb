import { readFile } from 'node:fs/promises';
import { isJsonObject } from '../../nucleus-error.js';
import type { JsonObject } from '../../schema-types.js';
import { defineCommand } from '../cli-command.js';
import { testEndpoint } from '../endpoint-test.js';
import { UsageError } from '../exit-codes.js';

const ACTIONS = ['test'] as const;

export const endpointCommand = defineCommand({
  command: 'endpoint <action> [id]',
  describe: 'Test the connection of an endpoint',
  positionals: {
    action: { choices: ACTIONS, demandOption: true, describe: 'what to do' },
    id: { type: 'string', describe: 'the endpoint' },
  },
  options: {
    template: { type: 'string', describe: 'template of a config that is not registered yet', requiresArg: true },
    config: { type: 'string', describe: 'file with that config as JSON', requiresArg: true },
  },
  examples: [
    ['$0 endpoint test crm', 'what works step by step; exit code 1 when something does not'],
    ['$0 endpoint test --template jdbc_postgres --config crm.json', 'before it is registered'],
  ],
  run: async ({ id, template, config }, session) => {
    if ((id === undefined) === (template === undefined || config === undefined)) {
      throw new UsageError('name either an endpoint, or --template with --config');
    }
    const input =
      id === undefined ? { templateId: template ?? null, config: await jsonObject(config ?? '') } : { endpointId: id };
    return testEndpoint(input, session);
  },
});

async function jsonObject(path: string): Promise<JsonObject> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read: ${error.code}`);
  });
  const value = parsed(text);
  // What is wrong with it is not shown: it may hold secrets.
  if (!isJsonObject(value)) throw new UsageError(`${path} does not hold a JSON object`);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

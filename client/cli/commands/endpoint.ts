import { readFile } from 'node:fs/promises';
import { isJsonObject } from '../../nucleus-error.js';
import type { JsonObject } from '../../schema-types.js';
import { defineCommand } from '../cli-command.js';
import { collectFrom } from '../endpoint-collect.js';
import { previewEndpoint } from '../endpoint-preview.js';
import { testEndpoint } from '../endpoint-test.js';
import { UsageError } from '../exit-codes.js';

const ACTIONS = ['test', 'preview', 'collect'] as const;

export const endpointCommand = defineCommand({
  command: 'endpoint <action> [id]',
  describe: 'Test the connection of an endpoint, look at rows of a source, or collect what it has',
  positionals: {
    action: { choices: ACTIONS, demandOption: true, describe: 'what to do' },
    id: { type: 'string', describe: 'the endpoint' },
  },
  options: {
    template: { type: 'string', describe: 'test: template of a config that is not registered yet', requiresArg: true },
    config: { type: 'string', describe: 'test: file with that config as JSON', requiresArg: true },
    object: { type: 'string', describe: 'preview: what to read, as JSON', requiresArg: true },
    unit: { type: 'string', describe: 'preview: the unit whose object is read', requiresArg: true },
    limit: { type: 'number', describe: 'preview: rows at most', default: 20, requiresArg: true },
    mask: {
      type: 'string',
      array: true,
      describe: 'preview: a column whose values are not shown; may be given several times',
      requiresArg: true,
    },
    scope: {
      type: 'string',
      array: true,
      describe: 'collect: a part of the source, such as a schema; may be given several times',
      requiresArg: true,
    },
    'allow-deletions': {
      type: 'boolean',
      default: false,
      describe: 'collect: remove what has vanished however much that is',
    },
  },
  examples: [
    ['$0 endpoint test crm', 'what works step by step; exit code 1 when something does not'],
    ['$0 endpoint test --template jdbc_postgres --config crm.json', 'before it is registered'],
    ['$0 endpoint preview crm --object \'{"table": "orders"}\' --limit 5', 'some rows of a table'],
    ['$0 endpoint preview crm --unit orders --mask email', 'some rows of what a unit reads'],
    ['$0 endpoint collect crm --scope public', 'tables and columns of a schema, followed to the end'],
  ],
  run: async ({ action, id, template, config, object, unit, limit, mask, scope, ...args }, session) => {
    if (action === 'test') {
      if ((id === undefined) === (template === undefined || config === undefined)) {
        throw new UsageError('name either an endpoint, or --template with --config');
      }
      return testEndpoint(
        id === undefined
          ? { templateId: template ?? null, config: await configOf(config ?? '') }
          : { endpointId: id, templateId: template ?? null },
        session,
      );
    }
    if (id === undefined) throw new UsageError('name the endpoint');
    if (action === 'collect') {
      const allowDeletions = args['allow-deletions'];
      return collectFrom({ endpointId: id, scope: scope ?? [], allowDeletions }, session);
    }
    if ((object === undefined) === (unit === undefined)) throw new UsageError('name either --object or --unit');
    const selected = object === undefined ? { unitId: unit ?? '' } : { object: objectOf(object) };
    return previewEndpoint({ endpointId: id, ...selected, limit, maskedColumns: mask ?? [] }, session);
  },
});

function objectOf(text: string): JsonObject {
  const value = parsed(text);
  if (!isJsonObject(value)) throw new UsageError('--object must be a JSON object');
  return value;
}

async function configOf(path: string): Promise<JsonObject> {
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

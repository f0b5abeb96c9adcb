import type { BulkFormat, BulkResult } from '../../bulk-upload.js';
import type { EntityInput, LinkInput } from '../../schema-types.js';
import { type CommonArguments, defineCommand, type Session } from '../cli-command.js';
import { EXIT_CODES, exitCodeOfCode, UsageError } from '../exit-codes.js';
import { nameJsonValues, nameValues } from '../name-value.js';
import { uploadProgress } from '../upload-progress.js';
import { FILE_FORMATS, jsonInput, type UpsertFile, upsertFile } from '../upsert-file.js';
import { reportWrite } from '../write-report.js';

export const upsertCommand = defineCommand({
  command: 'upsert [file]',
  describe: 'Create or change entities and links, from flags or from a file',
  positionals: { file: { type: 'string', describe: 'JSON, NDJSON or Arrow IPC stream; - is standard input' } },
  options: {
    urn: { type: 'string', describe: 'the entity by its urn', requiresArg: true },
    kind: { type: 'string', describe: 'kind of the entity, or of all rows of an Arrow file', requiresArg: true },
    key: { type: 'string', array: true, describe: 'part of the urn as name=value', requiresArg: true },
    name: { type: 'string', describe: 'caption', requiresArg: true },
    set: { type: 'string', array: true, describe: 'property as name=text', requiresArg: true },
    'set-json': { type: 'string', array: true, describe: 'property as name=<JSON value>', requiresArg: true },
    unset: { type: 'string', array: true, describe: 'name of a property to remove', requiresArg: true },
    link: { type: 'string', array: true, describe: 'link from --urn as KIND=urn', requiresArg: true },
    'if-version': { type: 'number', describe: 'only when this is its version; 0: it must be new', requiresArg: true },
    format: { choices: FILE_FORMATS, describe: 'of the file, when its name does not tell', requiresArg: true },
    'link-kind': { type: 'string', describe: 'rows of an Arrow file are links of this kind', requiresArg: true },
    nulls: {
      choices: ['keep', 'remove'] as const,
      describe: 'what empty cells of an Arrow file do',
      requiresArg: true,
    },
    atomic: { type: 'boolean', default: false, describe: 'all or nothing' },
    'allow-placeholders': { type: 'boolean', default: false, describe: 'links may name what does not exist yet' },
    'idempotency-key': { type: 'string', describe: 'the same key again does nothing', requiresArg: true },
  },
  examples: [
    ['$0 upsert --kind Tag --key name=pii --set color=#cc0000', 'a tag'],
    ['$0 upsert --urn nucleus:dataset:s3%3A%2F%2Flake:orders --set-json rowCount=120', 'a number'],
    ['$0 upsert --urn nucleus:dataset:s3%3A%2F%2Flake:orders --link TAGGED=nucleus:tag:pii', 'a link'],
    ['$0 upsert catalog.json', '{"entities": […], "links": […]}'],
    ['$0 upsert rows.ndjson', '{"entity": {…}} or {"link": {…}} on each line'],
    ['$0 upsert --kind Dataset --format arrow -', 'an Arrow IPC stream from standard input'],
  ],
  run: (args, session) => (args.file === undefined ? upsertFlags(args, session) : upsertFrom(args.file, args, session)),
});

type UpsertArguments = CommonArguments & {
  readonly urn?: string | undefined;
  readonly kind?: string | undefined;
  readonly key?: string[] | undefined;
  readonly name?: string | undefined;
  readonly set?: string[] | undefined;
  readonly 'set-json'?: string[] | undefined;
  readonly unset?: string[] | undefined;
  readonly link?: string[] | undefined;
  readonly 'if-version'?: number | undefined;
  readonly format?: (typeof FILE_FORMATS)[number] | undefined;
  readonly 'link-kind'?: string | undefined;
  readonly nulls?: 'keep' | 'remove' | undefined;
  readonly atomic: boolean;
  readonly 'allow-placeholders': boolean;
  readonly 'idempotency-key'?: string | undefined;
};

async function upsertFlags(args: UpsertArguments, { client, output, signal }: Session): Promise<number> {
  if (args.urn === undefined && (args.kind === undefined || args.key === undefined)) {
    throw new UsageError('name the entity by --urn, or by --kind with --key name=value; or give a file');
  }
  for (const flag of ['format', 'link-kind', 'nulls'] as const) {
    if (args[flag] !== undefined) throw new UsageError(`--${flag} goes with a file`);
  }
  const properties = {
    ...nameValues(args.set ?? [], '--set'),
    ...nameJsonValues(args['set-json'] ?? [], '--set-json'),
    ...Object.fromEntries((args.unset ?? []).map((name) => [name, null])),
  };
  const entity: EntityInput = {
    urn: args.urn,
    kind: args.kind,
    key: args.key === undefined ? undefined : nameValues(args.key, '--key'),
    name: args.name,
    properties: Object.keys(properties).length > 0 ? properties : undefined,
    ifVersion: args['if-version'],
  };
  return reportWrite(
    await client.upsert(
      { entities: [entity], links: linksOf(args), ...commonInput(args) },
      { signal, onRefusal: 'return' },
    ),
    output,
  );
}

function linksOf({ link = [], urn }: UpsertArguments): LinkInput[] {
  return link.map((text) => {
    const [kind, to] = Object.entries(nameValues([text], '--link'))[0] as [string, string];
    if (urn === undefined) throw new UsageError('--link needs --urn: links name both ends by their urns');
    return { kind, from: urn, to };
  });
}

function commonInput(args: UpsertArguments) {
  return {
    atomic: args.atomic,
    allowPlaceholders: args['allow-placeholders'],
    ...(args['idempotency-key'] !== undefined && { idempotencyKey: args['idempotency-key'] }),
  };
}

async function upsertFrom(path: string, args: UpsertArguments, session: Session): Promise<number> {
  for (const flag of ['urn', 'key', 'name', 'set', 'set-json', 'unset', 'link', 'if-version'] as const) {
    if (args[flag] !== undefined) throw new UsageError(`--${flag} does not go with a file`);
  }
  const file = upsertFile(path, args.format, session.stdin);
  const { format } = file;
  const arrowOnly = (['kind', 'link-kind', 'nulls'] as const).find((flag) => args[flag] !== undefined);
  if (format === 'arrow') {
    if ((args.kind === undefined) === (args['link-kind'] === undefined)) {
      throw new UsageError('Arrow rows need either --kind, the kind of entity, or --link-kind');
    }
    return upload(file, format, args, session);
  }
  if (arrowOnly !== undefined) throw new UsageError(`--${arrowOnly} goes with Arrow; ${format} says it in its items`);
  if (format === 'ndjson') return upload(file, format, args, session);
  const { client, output, signal } = session;
  const input = { ...(await jsonInput(file)), ...commonInput(args) };
  return reportWrite(await client.upsert(input, { signal, onRefusal: 'return' }), output);
}

async function upload(file: UpsertFile, format: BulkFormat, args: UpsertArguments, session: Session): Promise<number> {
  const { client, output, signal } = session;
  const progress = uploadProgress(output.progress, file.size);
  const { kind, nulls } = args;
  const input = { format, kind, link: args['link-kind'], nulls, ...commonInput(args) };
  const result = await client
    .bulk(file.reopen ?? file.open(), input, { signal, onProgress: progress.sent })
    .finally(progress.done);
  await output.result(result, () => summary(result, output));
  const [first] = result.errors;
  return first === undefined ? EXIT_CODES.ok : exitCodeOfCode(first.code);
}

function summary(result: BulkResult, output: Session['output']): string {
  const { rows, created, updated, revived, deleted, unchanged, refused, transactions, commit } = result;
  const refusals = result.errors.map(
    ({ row, code, field, message }) =>
      `${output.paint('red', 'REFUSED')} row ${row}: ${field === '' ? '' : `${field}: `}${message} [${code}]`,
  );
  if (result.errorsOmitted > 0) refusals.push(`… and ${result.errorsOmitted} more`);
  const counts = { created, updated, revived, deleted, unchanged, refused };
  const told = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
  return [
    ...refusals,
    `${rows} rows: ${told.join(', ') || 'nothing to do'}; ${transactions} transactions`,
    output.paint('dim', `commit ${commit ?? '-'}`),
  ].join('\n');
}

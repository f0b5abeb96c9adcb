import { randomUUID } from 'node:crypto';
import { InputError } from '#errors';
import { datasetUrn, fieldUrn, parseUrn, tagUrn } from '#graph-schema';
import type { EndpointRecord, ErrorRecord, IngestionCatalog } from '#graph-store';
import { discardPreview, takePreview } from '#ingestion';
import type { Preview } from '#ingestion/contracts';
import type { CommandContext } from './command-context.js';
import { checkAgainstSchema } from './config-validation.js';
import { requireCapability, requireEndpoint } from './endpoint-subject.js';

export interface PreviewMetadataInput {
  readonly endpointId: string;
  readonly object?: Readonly<Record<string, unknown>> | null;
  readonly unitId?: string | null;
  readonly limit?: number | null;
  readonly maskedColumns?: readonly string[] | null;
}

const MAX_ROWS = 1_000;
const DEFAULT_ROWS = 50;
const MASK = '***';

/**
 * Some rows of an object of a source, with what is sensitive masked. The file in which they come is removed in any case.
 *
 * @throws InputError for what names nothing, or cannot be previewed
 */
export async function previewMetadata(
  context: CommandContext,
  input: PreviewMetadataInput,
): Promise<{ preview: Preview | null; error: ErrorRecord | null }> {
  const limit = input.limit ?? DEFAULT_ROWS;
  if (limit < 1 || limit > MAX_ROWS) {
    throw InputError.one('BAD_USER_INPUT', 'input.limit', `must be from 1 to ${MAX_ROWS}`);
  }
  const endpoint = await requireEndpoint(context, input.endpointId, 'input.endpointId');
  const { objectSchema } = await requireCapability(context, endpoint, 'metadata.preview');
  const object = await objectOf(context, endpoint, input);
  checkAgainstSchema(objectSchema ?? {}, object, 'input.object');
  const { metadataRoot, maskedTags } = context.previews;
  const requestId = randomUUID();
  const request = { requestId, endpointId: endpoint.id, object, limit };
  try {
    const maskedColumns = [...(input.maskedColumns ?? [])];
    const { result, failure } = await context.operations.preview({ ...request, maskedColumns });
    if (result === null) return { preview: null, error: failure };
    const preview = await takePreview(metadataRoot, requestId, result);
    return { preview: masked(preview, await taggedColumns(context.catalog, preview, maskedTags)), error: null };
  } finally {
    await discardPreview(metadataRoot, requestId);
  }
}

async function objectOf(
  { catalog }: CommandContext,
  { id }: EndpointRecord,
  { object, unitId }: PreviewMetadataInput,
): Promise<Record<string, unknown>> {
  if ((object == null) === (unitId == null)) {
    throw InputError.one('BAD_USER_INPUT', 'input.object', 'name either what to read, or a unit by unitId');
  }
  if (object != null) return { ...object };
  const unit = await catalog.unit(id, unitId ?? '');
  if (unit === undefined) {
    throw InputError.one('NOT_FOUND', 'input.unitId', `names no unit of ${id}: ${JSON.stringify(unitId)}`);
  }
  return unit.object;
}

/** Whether a column is tagged as one whose values are not shown. */
type IsHidden = (column: string) => boolean;

async function taggedColumns(
  catalog: IngestionCatalog,
  { dataset: { namespace, name }, columns }: Preview,
  tags: readonly string[],
): Promise<IsHidden> {
  const urn = datasetUrn(namespace, name);
  const tagged = await catalog.taggedParts({
    urn,
    columns: columns.map((column) => fieldUrn(namespace, name, column.name)),
    tags: tags.map(tagUrn),
  });
  if (tagged.includes(urn)) return () => true;
  // Sources differ in what case they give names; a tag within a column hides all of it.
  const names = tagged.map((field) => parseUrn(field).parts[2]?.toLowerCase() ?? '');
  return (column) => {
    const own = column.toLowerCase();
    return names.some((hidden) => hidden === own || hidden.startsWith(`${own}.`));
  };
}

/** NULLs are masked too: whether there is a value is part of what is not shown. */
function masked(preview: Preview, isHidden: IsHidden): Preview {
  const columns = preview.columns.map((column) => ({ ...column, masked: column.masked || isHidden(column.name) }));
  const rows = preview.rows.map((row) => row.map((value, index) => (columns[index]?.masked === false ? value : MASK)));
  return { ...preview, columns, rows };
}

import { MAX_ROWS, overLimit } from '../row-limits.js';
import { cellsOf } from './arrow-cells.js';
import { type ArrowBatch, type ArrowColumn, readBatch } from './arrow-column.js';
import { arrowFault } from './arrow-fault.js';
import { type ArrowField, readSchema } from './arrow-field.js';
import { readMessages } from './arrow-messages.js';
import type { Cell } from './bad-cell.js';
import { readMetadata } from './flat-table.js';

/** Slots of the table DictionaryBatch in the Arrow specification's Message.fbs. */
const DICTIONARY_BATCH = { id: 0, data: 1, isDelta: 2 } as const;

/** Characters of all entries of one dictionary. */
const MAX_DICTIONARY_TEXT = 128 * 1024 * 1024;

/** A batch with the dictionaries that were known when it came. */
export interface ReadBatch extends ArrowBatch {
  readonly dictionaries: ReadonlyMap<number, readonly Cell[]>;
}

export interface ArrowStream {
  readonly fields: readonly ArrowField[];
  readonly batches: AsyncIterable<ReadBatch>;
}

/**
 * Opens an Arrow IPC stream. Its input is not trusted: one parser both checks and reads it, so that there is no second
 * one that might understand a hostile message differently. It takes the types that properties can hold.
 *
 * @param maxBytes bytes of the whole stream
 * @throws AppError BAD_USER_INPUT, or PAYLOAD_TOO_LARGE over a limit; also while the batches are read
 */
export async function openArrowStream(
  chunks: AsyncIterable<Uint8Array>,
  options: { maxBytes: number },
): Promise<ArrowStream> {
  const messages = readMessages(chunks, options);
  const first = await messages.next();
  if (first.done) throw arrowFault('is empty: send at least a schema');
  if (first.value.is !== 'schema') throw arrowFault('begins with a batch: send its schema first');
  const { header } = first.value;
  const fields = readMetadata(() => readSchema(header));
  return { fields, batches: readBatches(messages, fields) };
}

async function* readBatches(
  messages: ReturnType<typeof readMessages>,
  fields: readonly ArrowField[],
): AsyncGenerator<ReadBatch> {
  const declared = new Map<number, ArrowField>();
  for (const field of fields) collectDictionaries(field, declared);
  let dictionaries = new Map<number, readonly Cell[]>();
  let rows = 0;
  for await (const { is, header, body } of messages) {
    if (is === 'schema') throw arrowFault('has two schemas: send one stream at a time');
    if (is === 'dictionary') {
      // A batch that is still being read keeps the dictionaries that it came after.
      dictionaries = new Map(dictionaries);
      readMetadata(() => {
        const id = header.int64(DICTIONARY_BATCH.id);
        const data = header.table(DICTIONARY_BATCH.data);
        const values = declared.get(id);
        if (values === undefined || data === undefined)
          throw arrowFault(`holds a dictionary ${id} that no column names`);
        const [column] = readBatch(data, body, [values]).columns;
        const entries = column === undefined ? [] : allCells(column);
        const before = header.boolean(DICTIONARY_BATCH.isDelta) ? (dictionaries.get(id) ?? []) : [];
        if (before.length + entries.length > MAX_ROWS) {
          throw overLimit(`a dictionary of ${before.length + entries.length} entries`, 'rows', MAX_ROWS);
        }
        dictionaries.set(id, before.concat(entries));
      });
      continue;
    }
    const batch = readMetadata(() => readBatch(header, body, fields));
    rows += batch.rows;
    if (rows > MAX_ROWS) throw overLimit('too many rows', 'rows', MAX_ROWS);
    yield { ...batch, dictionaries };
  }
}

/** The values of each dictionary, as a column of their own. */
function collectDictionaries(field: ArrowField, into: Map<number, ArrowField>): void {
  if (field.dictionary !== undefined) {
    into.set(field.dictionary.id, { name: field.name, type: field.type, children: [] });
  }
  for (const child of field.children) collectDictionaries(child, into);
}

function allCells(column: ArrowColumn): Cell[] {
  const cell = cellsOf(column, new Map());
  let held = 0;
  return Array.from({ length: column.length }, (_, index) => {
    const entry = cell(index);
    held += typeof entry === 'string' ? entry.length : 0;
    // Views may show the same bytes again and again.
    if (held > MAX_DICTIONARY_TEXT) throw overLimit('a dictionary too long', 'dictionaryText', MAX_DICTIONARY_TEXT);
    return entry;
  });
}

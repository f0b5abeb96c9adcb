import {
  type Data,
  Field,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import type { LoadReport } from '#ingestion';
import { encodeEventCursor } from '../events/event-cursor.js';

/** Everything that an answer says besides the errors. */
function countsOf({ sequence, rows, counts, transactions, replayed, errorsOmitted }: LoadReport) {
  const commit = sequence === null ? null : encodeEventCursor(sequence);
  return { commit, rows, ...counts, transactions, replayed, errorsOmitted };
}

export function jsonAnswer(report: LoadReport) {
  return { ...countsOf(report), errors: report.errors };
}

/** An Arrow stream of the errors; the counts stand in the metadata of its schema, as text. */
export function arrowAnswer(report: LoadReport): Buffer {
  const metadata = new Map(Object.entries(countsOf(report)).map(([name, value]) => [name, String(value ?? '')]));
  const schema = new Schema(
    [
      new Field('row', new Int64(), false),
      new Field('code', new Utf8(), false),
      new Field('field', new Utf8(), false),
      new Field('message', new Utf8(), false),
    ],
    metadata,
  );
  const { errors } = report;
  const columns: Vector[] = [
    vectorFromArray(
      errors.map(({ row }) => BigInt(row)),
      new Int64(),
    ),
    ...(['code', 'field', 'message'] as const).map((name) =>
      vectorFromArray(
        errors.map((error) => error[name]),
        new Utf8(),
      ),
    ),
  ];
  const children = columns.flatMap(({ data }): readonly Data[] => data);
  const rows = makeData({ type: new Struct(schema.fields), length: errors.length, nullCount: 0, children });
  const batches = errors.length === 0 ? [] : [new RecordBatch(schema, rows)];
  return Buffer.from(tableToIPC(new Table(schema, batches), 'stream'));
}

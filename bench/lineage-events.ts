/** Columns of each data set. */
const COLUMNS = 10;
/** Data sets that a job reads; it writes one. */
const INPUTS = 2;
/** Jobs of one story: its runs go round among them. */
const JOBS = 200;

const producer = 'https://example.com/bench';
const schemaURL = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent';
const facet = { _producer: producer, _schemaURL: schemaURL };

const namespace = 's3://bench-lake';
const columnNames = Array.from({ length: COLUMNS }, (_, index) => `column_number_${index}`);

function schema() {
  const fields = columnNames.map((name) => ({
    name,
    type: 'varchar(255)',
    description: `What ${name} of the table means.`,
  }));
  return { ...facet, fields };
}

function columnLineage(inputs: readonly { readonly name: string }[]) {
  const fields = Object.fromEntries(
    columnNames.map((field) => [
      field,
      {
        inputFields: inputs.map(({ name }) => ({
          namespace,
          name,
          field,
          transformations: [{ type: 'DIRECT', subtype: 'IDENTITY', masking: false }],
        })),
      },
    ]),
  );
  return { ...facet, fields };
}

/**
 * Events of runs as a scheduler sends them: a START and a COMPLETE each, of about 6 KB, with schemas and column lineage. Job n reads
 * what jobs before it have written.
 *
 * @param story part of all names, so that two stories have nothing in common
 * @param runs number of runs, of which two events each come
 */
export function lineageEvents(story: string, runs: number): object[] {
  return Array.from({ length: runs }, (_, run) => eventsOfRun(story, run)).flat();
}

function eventsOfRun(story: string, run: number): object[] {
  const job = run % JOBS;
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, run * 60 + second)).toISOString();
  const dataset = (of: number) => ({ namespace, name: `${story}/orders_${of}`, facets: { schema: schema() } });
  const inputs = Array.from({ length: INPUTS }, (_, index) => dataset(Math.max(job - index - 1, -1 - index)));
  const output = dataset(job);
  const common = {
    run: { runId: `${story}-${run}` },
    job: { namespace: story, name: `make_orders_${job}` },
    inputs,
    outputs: [{ ...output, facets: { ...output.facets, columnLineage: columnLineage(inputs) } }],
    producer,
    schemaURL,
  };
  return [
    { eventType: 'START', eventTime: at(0), ...common },
    { eventType: 'COMPLETE', eventTime: at(50), ...common },
  ];
}

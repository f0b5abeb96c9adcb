import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn, formatUrn } from '#graph-schema';
import { JARS_FOLDER } from '#stack';
import { documentedSparkProperties } from '../support/documented-clients.js';
import { scratchFolder } from '../support/folder.js';
import { type IntakeApp, openIntakeApp } from '../support/intake-app.js';
import { uniquePrefix } from '../support/unique.js';

const NAMESPACE = uniquePrefix('ol-spark');
/** Spark needs half a minute from its start to its end, and longer beside other tests. */
const SPARK_MS = 240_000;
const apiToken = randomBytes(24).toString('base64url');
const headers = { authorization: `Bearer ${apiToken}` };

let opened: IntakeApp;
let folder: Awaited<ReturnType<typeof scratchFolder>>;
let jobs: string[];
beforeAll(async () => {
  opened = await openIntakeApp({ apiToken });
  folder = await scratchFolder();
  const jars = join(JARS_FOLDER, 'openlineage');
  const [jar = ''] = (await readdir(jars)).filter((name) => name.endsWith('.jar'));
  const properties = {
    ...documentedSparkProperties({ url: opened.app.url, token: apiToken }),
    'spark.openlineage.namespace': NAMESPACE,
  };
  const args = ['test/support/run_spark_job.py', folder.path, join(jars, jar), JSON.stringify(properties)];
  await promisify(execFile)('.venv/bin/python', args, { timeout: SPARK_MS });
  await opened.drained();
  const rows = await opened.graph.query(
    'MATCH (j:Job)-[:PRODUCES]->() WHERE j.namespace = $namespace RETURN DISTINCT j.urn AS urn',
    { namespace: NAMESPACE },
  );
  jobs = rows.map(({ urn }) => String(urn));
}, SPARK_MS);
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

describe('a Spark job with the listener of OpenLineage', () => {
  const file = (name: string) => datasetUrn('file', join(folder.path, name));
  const column = (of: string, name: string) => formatUrn('field', ['file', join(folder.path, of), name]);

  it('is a job of the namespace, between the files that it reads and writes', async () => {
    const { data, errors } = await opened.app.graphql(
      'query ($urn: ID!) { lineage(urn: $urn, direction: UPSTREAM) { nodes { urn } edges { kind from to } } }',
      { urn: file('revenue') },
      headers,
    );
    expect(errors).toBeUndefined();
    expect(jobs).toEqual([expect.stringMatching(`^nucleus:job:${NAMESPACE}:revenue_report\\.`)]);
    const [job] = jobs;
    const edges = [
      { kind: 'FEEDS', from: file('customers.csv'), to: job },
      { kind: 'FEEDS', from: file('orders.csv'), to: job },
      { kind: 'PRODUCES', from: job, to: file('revenue') },
    ];
    expect(data.lineage.edges).toHaveLength(edges.length);
    expect(data.lineage.edges).toEqual(expect.arrayContaining(edges));
  });

  it('tells what each column is made of', async () => {
    const { data } = await opened.app.graphql(
      'query ($urn: ID!) { lineage(urn: $urn, level: FIELD, direction: UPSTREAM) { edges { from to via } } }',
      { urn: file('revenue') },
      headers,
    );
    const [via] = jobs;
    expect(data.lineage.edges).toEqual(
      expect.arrayContaining([
        { from: column('customers.csv', 'name'), to: column('revenue', 'customer'), via },
        { from: column('orders.csv', 'amount'), to: column('revenue', 'total'), via },
      ]),
    );
    const targets = data.lineage.edges.map(({ to }: { to: string }) => to);
    expect(new Set(targets)).toEqual(new Set([column('revenue', 'customer'), column('revenue', 'total')]));
  });

  it('has run to the end, as a part of its application', async () => {
    const rows = await opened.graph.query(
      `MATCH (:Job {urn: $job})-[:HAS_RUN]->(r)-[:PART_OF]->(application:Run)<-[:HAS_RUN]-(parent:Job)
       RETURN r.state AS state, application.state AS application, parent.urn AS parent`,
      { job: jobs[0] },
    );
    expect(rows).toEqual([
      {
        state: 'COMPLETE',
        application: 'COMPLETE',
        parent: formatUrn('job', [NAMESPACE, 'revenue_report']),
      },
    ]);
  });

  it('writes the columns of the schema with their types', async () => {
    const rows = await opened.graph.query(
      'MATCH (:Dataset {urn: $urn})-[:HAS_FIELD]->(f) RETURN f.name AS name, f.type AS type ORDER BY name',
      { urn: file('revenue') },
    );
    expect(rows).toEqual([
      { name: 'customer', type: 'string' },
      { name: 'total', type: 'long' },
    ]);
  });
});

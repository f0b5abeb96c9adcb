import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn, formatUrn, runUrn } from '#graph-schema';
import { documentedVariables } from '../support/documented-clients.js';
import { type IntakeApp, openIntakeApp } from '../support/intake-app.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('ol-python');
const apiToken = randomBytes(24).toString('base64url');
const headers = { authorization: `Bearer ${apiToken}` };

let opened: IntakeApp;
beforeAll(async () => {
  opened = await openIntakeApp({ apiToken });
});
afterAll(() => opened[Symbol.asyncDispose]());

/** @returns the id of the run that it has told of */
async function tellByPython(transport: string, namespace: string, token: string): Promise<string> {
  const env = {
    ...process.env,
    ...documentedVariables({ url: opened.app.url, token }),
    OPENLINEAGE__TRANSPORT__TYPE: transport,
  };
  const args = ['test/support/send_openlineage_events.py', namespace, transport];
  return (await promisify(execFile)('.venv/bin/python', args, { env })).stdout.trim();
}

describe.each(['http', 'async_http'])('openlineage-python by transport %s', (transport) => {
  const namespace = `${PREFIX}-${transport}`;
  const orders = datasetUrn('postgres://db:5432', `${namespace}.public.orders`);
  const copies = datasetUrn(`s3://${namespace}`, `copies_${transport}`);
  const job = formatUrn('job', [namespace, `copy_${transport}`]);
  let runId: string;
  beforeAll(async () => {
    runId = await tellByPython(transport, namespace, apiToken);
    await opened.drained();
  });

  it('tells of jobs and data sets by the names that it gave them', async () => {
    const { data, errors } = await opened.app.graphql(
      'query ($urn: ID!) { lineage(urn: $urn) { nodes { urn name kind } edges { kind from to current } } }',
      { urn: orders },
      headers,
    );
    expect(errors).toBeUndefined();
    expect(data.lineage.nodes).toEqual([
      { urn: orders, name: `${namespace}.public.orders`, kind: 'Dataset' },
      { urn: job, name: `copy_${transport}`, kind: 'Job' },
      { urn: copies, name: `copies_${transport}`, kind: 'Dataset' },
    ]);
    expect(data.lineage.edges).toEqual([
      { kind: 'FEEDS', from: orders, to: job, current: true },
      { kind: 'PRODUCES', from: job, to: copies, current: true },
    ]);
  });

  it('tells of every state of the run', async () => {
    const [run] = await opened.graph.query(
      `MATCH (:Job {urn: $job})-[:HAS_RUN]->(r:Run {urn: $run})-[:WROTE]->(:DatasetVersion)<-[:HAS_VERSION]-(d)
       RETURN r.state AS state, toString(r.startedAt) AS startedAt, toString(r.endedAt) AS endedAt, d.urn AS wrote`,
      { job, run: runUrn(runId) },
    );
    expect(run).toEqual({
      state: 'COMPLETE',
      startedAt: '2026-01-31T08:00:00Z',
      endedAt: '2026-01-31T09:00:00Z',
      wrote: copies,
    });
  });

  it('tells what columns are made of', async () => {
    const { data } = await opened.app.graphql(
      'query ($urn: ID!) { lineage(urn: $urn, level: FIELD, direction: UPSTREAM) { edges { from to via } } }',
      { urn: copies },
      headers,
    );
    const field = (namespaceOf: string, name: string, column: string) =>
      formatUrn('field', [namespaceOf, name, column]);
    expect(data.lineage.edges).toEqual([
      {
        from: field('postgres://db:5432', `${namespace}.public.orders`, 'order_id'),
        to: field(`s3://${namespace}`, `copies_${transport}`, 'id'),
        via: job,
      },
    ]);
  });
});

it('is refused without the key', async () => {
  const namespace = `${PREFIX}-refused`;
  await expect(tellByPython('http', namespace, 'some-other-key')).rejects.toThrow(/401/);
  await opened.drained();
  const urn = formatUrn('job', [namespace, 'copy_http']);
  expect(await opened.graph.query('MATCH (n:Entity {urn: $urn}) RETURN n.urn', { urn })).toEqual([]);
});

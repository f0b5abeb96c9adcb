import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHttpApp } from '../support/http-app.js';
import { type IntakeApp, openIntakeApp } from '../support/intake-app.js';
import { callNucleusCli } from '../support/nucleus-cli.js';
import { runEvent } from '../support/openlineage-events.js';
import { openOwnNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('cli-retention');

let intake: IntakeApp;
beforeAll(async () => {
  intake = await openIntakeApp();
  const events = [1, 2, 3].map((day) =>
    runEvent({
      eventTime: `2025-03-0${day}T08:00:00Z`,
      run: { runId: `${PREFIX}-${day}` },
      job: { namespace: PREFIX, name: 'load' },
      outputs: [{ namespace: PREFIX, name: 'orders' }],
    }),
  );
  await intake.tell(events);
});
afterAll(() => intake?.[Symbol.asyncDispose]());

const nucleus = (...args: string[]) => callNucleusCli(args, { env: { NUCLEUS_URL: intake.app.url } });
const retention = (...args: string[]) =>
  nucleus('retention', ...args, '--keep-runs', '1', '--namespace', PREFIX, '--older-than', '1d');

describe('nucleus retention', () => {
  it('counts first, and removes just that', async () => {
    expect(await retention('preview')).toEqual({ code: 0, stdout: '2 runs and 2 versions would go\n', stderr: '' });
    expect(await retention('apply')).toEqual({ code: 0, stdout: '2 runs and 2 versions are gone\n', stderr: '' });
    const { code, stdout } = await retention('apply', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ runs: 0, versions: 0, isComplete: true, keepRunsPerJob: 1 });
  });

  it('says when the server gives it too little time to come to the end', async () => {
    await using temporal = await openOwnNamespace('cli-retention');
    await using hasty = await openHttpApp(intake.graph, { temporal: temporal.client, lineage: { waitMs: 1 } });
    const args = ['--older-than', '1d', '--namespace', PREFIX];
    const preview = await callNucleusCli(['retention', 'preview', ...args], { env: { NUCLEUS_URL: hasty.url } });
    expect(preview).toEqual({ code: 0, stdout: 'at least 0 runs and 0 versions would go\n', stderr: '' });
    const applied = await callNucleusCli(['retention', 'apply', ...args], { env: { NUCLEUS_URL: hasty.url } });
    expect(applied).toMatchObject({ code: 6, stderr: expect.stringContaining('LINEAGE_WAIT_MS') });
  });

  it('takes an instant as well', async () => {
    const args = ['--older-than', '2025-03-04T00:00Z', '--keep-runs', '0', '--namespace', PREFIX];
    // The latest version stays, with the run that wrote it.
    expect(await nucleus('retention', 'preview', ...args)).toMatchObject({
      stdout: '0 runs and 0 versions would go\n',
    });
  });

  it.each([
    [['retention']],
    [['retention', 'remove']],
    [['retention', 'preview', '--older-than', 'last week']],
    [['retention', 'preview', '--older-than', '99999999999d']],
    [['retention', 'preview', '--older-than', '1d', '--keep-runs', '1.5']],
    [['retention', 'preview', '--older-than', '1d', '--keep-runs', 'all']],
    [['retention', 'apply', '--namespace', PREFIX]],
  ])('refuses the arguments %j', async (args) => {
    expect((await nucleus(...args)).code).toBe(2);
  });

  it('is in the help, and is completed', async () => {
    expect((await nucleus('retention', '--help')).stdout).toContain('retention apply --older-than 90d');
    const words = async (...line: string[]) =>
      (await nucleus('--get-yargs-completions', 'nucleus', ...line)).stdout.trimEnd().split('\n');
    expect(await words('')).toContain('retention');
    expect(await words('retention', '')).toEqual(expect.arrayContaining(['preview', 'apply']));
    expect(await words('retention', 'apply', '--')).toEqual(expect.arrayContaining(['--older-than', '--keep-runs']));
  });
});

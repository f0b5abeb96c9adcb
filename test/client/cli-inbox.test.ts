import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { eventOf, openTestIntake, type TestIntake } from '../support/lineage-intake.js';
import { callNucleusCli } from '../support/nucleus-cli.js';
import { RecordingLineageWriter } from '../support/recording-lineage-writer.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

const COUNT = 25;

let graph: TestGraph;
let temporal: TestNamespace;
let lineage: TestIntake;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('cli-inbox')]);
  lineage = await openTestIntake(new RecordingLineageWriter());
  app = await openHttpApp(graph, { temporal: temporal.client, openLineage: lineage });
});
afterAll(async () => {
  for (const part of [app, lineage, temporal, graph]) await part[Symbol.asyncDispose]();
});

const nucleus = (...args: string[]) => callNucleusCli(['inbox', ...args], { env: { NUCLEUS_URL: app.url } });

describe('nucleus inbox', () => {
  it('says that there is no dead letter', async () => {
    expect(await nucleus('dead-letters')).toEqual({ code: 0, stdout: '', stderr: 'every event was applied\n' });
  });

  it('lists all dead letters, page after page, for people and as JSON', async () => {
    await lineage.append(...Array.from({ length: COUNT }, (_, index) => `job${index + 1}`));
    const reason = { code: 'UNREADABLE', path: 'job.name', message: 'must not be empty' };
    for (let position = 1; position <= COUNT; position += 1) await lineage.inbox.park(position, reason);
    const { code, stdout } = await nucleus('dead-letters', '--json');
    const letters = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(letters.map(({ position }) => position)).toEqual(Array.from({ length: COUNT }, (_, index) => index + 1));
    expect(letters[4]).toMatchObject({ reason, payload: eventOf('job5').toString() });
    const text = (await nucleus('dead-letters')).stdout;
    expect(text).toContain('UNREADABLE: job.name must not be empty');
  });

  it('replays and discards one, and tells when it is not there', async () => {
    const replayed = await nucleus('replay', '2');
    expect(replayed).toEqual({ code: 0, stdout: `replayed, now at position ${COUNT + 1}\n`, stderr: '' });
    expect(await nucleus('discard', '3')).toEqual({ code: 0, stdout: 'discarded\n', stderr: '' });
    for (const action of ['replay', 'discard']) {
      const again = await nucleus(action, '3', '--json');
      expect(again.code).toBe(3);
      expect(JSON.parse(again.stderr).error).toMatchObject({ code: 'NOT_FOUND' });
    }
    expect((await lineage.deadLetters.page({ first: 3 })).rows.map(({ record }) => record.position)).toEqual([1, 4, 5]);
  });

  it.each([[['replay']], [['dead-letters', '4']], [['delete', '4']], [['replay', 'first']]])(
    'refuses the arguments %j',
    async (args) => {
      expect((await nucleus(...args)).code).toBe(2);
    },
  );
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProcessRecord } from '#stack';
import { isGroupAlive, isRunning } from '../../scripts/setup/process-identity.mjs';
import { type Command, StartHome } from '../scripts/start-command.js';

const FLIGHTS = 336_776;
const WEATHER = 26_115;
const UP = 'Everything stays up.';
const PROCESSES = ['api', 'control-worker', 'data-worker', 'neo4j', 'postgres', 'temporal'];
const START_TIMEOUT = { timeout: 300_000 };

let home: StartHome;
/** Of every start, because the records go when the processes go. */
const everRecorded: ProcessRecord[] = [];

beforeAll(async () => {
  home = await StartHome.create();
});

afterAll(async () => {
  await home?.[Symbol.asyncDispose]();
});

// One story in the order of its steps: each start goes on with what the one before has left.
describe('npm start', () => {
  it('has nothing to stop where nothing was ever started', async () => {
    const stop = home.run('stop');
    expect(await stop.exited).toBe(0);
    expect(stop.output).toBe('Nothing was running.\n');
  });

  it('ingests the demo and stays up; killed, it leaves its children behind', START_TIMEOUT, async () => {
    const start = home.run('start', '--json');
    await start.says(UP);
    expect(resultOf(start)).toEqual(rows({ flights: FLIGHTS, weather: WEATHER }));

    const records = await recorded();
    await start.signal('SIGKILL');
    expect(records.map(({ name }) => name).sort()).toEqual(PROCESSES);
    expect(records.filter(isRunning)).toEqual(records);
  });

  it('ends what a killed start has left, ingests only what is new, and stops', START_TIMEOUT, async () => {
    const start = home.run('start', '--once', '--json');
    await start.says('Units:');
    const left = [...everRecorded];
    const records = await recorded();
    expect(await start.exited).toBe(0);
    // Nothing else on standard output, or it would not parse.
    expect(resultOf(start)).toEqual(rows({ flights: 0, weather: 0 }));
    expect(start.output).toContain('An earlier start had been killed');
    expect(records.map(({ name }) => name).sort()).toEqual(PROCESSES);
    expectNothingAlive([...left, ...records]);
  });

  it('refuses a second start beside it, and stops in order on Ctrl-C', START_TIMEOUT, async () => {
    const start = home.run('start');
    await start.says(UP);
    await recorded();
    const second = home.run('start');
    expect(await second.exited).toBe(1);
    expect(second.output).toContain(`already running here, pid ${start.pid}`);

    expect(await start.signal('SIGINT')).toBe(0);
    expect([...start.output.matchAll(/^Stopping (\S+)$/gm)].map(([, name]) => name)).toEqual([
      'api',
      'control-worker',
      'data-worker',
      'temporal',
      'neo4j',
      'postgres',
    ]);
    expect(start.output.trimEnd().split('\n').at(-1)).toBe('Stopped.');
    expectNothingAlive(everRecorded);
  });

  it('has told its secrets to nobody', async () => {
    const secrets = await home.secrets();
    expect(secrets).toHaveLength(4);
    const texts = await home.texts();
    expect([...texts.keys()]).toEqual(expect.arrayContaining(PROCESSES.map((name) => `${name}.log`)));
    const leaks = [...texts].filter(([, text]) => secrets.some((secret) => text.includes(secret)));
    expect(leaks.map(([name]) => name)).toEqual([]);
  });
});

async function recorded(): Promise<ProcessRecord[]> {
  const records = await home.records();
  everRecorded.push(...records);
  return records;
}

function expectNothingAlive(records: readonly ProcessRecord[]): void {
  expect(records.filter(({ pid }) => isGroupAlive(pid))).toEqual([]);
  expect(home.processes()).toEqual([]);
}

function resultOf(start: Command): unknown {
  const { units } = JSON.parse(start.stdout) as { units: { unitId: string; state: string; rowsWritten: number }[] };
  return Object.fromEntries(units.map(({ unitId, state, rowsWritten }) => [unitId, [state, rowsWritten]]));
}

/** Units that are read whole write the same rows each time. */
function rows(incremental: { flights: number; weather: number }) {
  const written = { ...incremental, airlines: 16, airports: 1_458, planes: 3_322 };
  return Object.fromEntries(Object.entries(written).map(([unitId, count]) => [unitId, ['SUCCEEDED', count]]));
}

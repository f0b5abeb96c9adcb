import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { choosePorts, type PortName, type Ports } from '../../scripts/start/ports.js';
import { scratchFolder } from '../support/folder.js';

const NAMES: readonly PortName[] = ['api', 'neo4jHttp', 'neo4jBolt', 'temporal', 'temporalUi', 'postgres'];

type Moves = [name: PortName, taken: number, chosen: number][];

it('takes the ports of the last start when they are free', async () => {
  await using folder = await scratchFolder();
  const file = join(folder.path, 'ports.json');
  const last = await freePorts();
  writeFileSync(file, JSON.stringify(last));

  const { ports, moves } = await choose(file);
  expect(ports).toEqual(last);
  expect(moves).toEqual([]);
});

it.each(['127.0.0.1', '0.0.0.0'])('goes on from a port that is taken on %s, tells it, and remembers', async (host) => {
  await using folder = await scratchFolder();
  const file = join(folder.path, 'ports.json');
  await using other = await listen(host);
  const last = { ...(await freePorts()), neo4jBolt: other.port };
  writeFileSync(file, JSON.stringify(last));

  const { ports, moves } = await choose(file);
  expect(ports.neo4jBolt).toBeGreaterThan(other.port);
  expect(moves).toEqual([['neo4jBolt', other.port, ports.neo4jBolt]]);
  expect(ports).toEqual({ ...last, neo4jBolt: ports.neo4jBolt });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(ports);
});

it('never gives one port to two servers', async () => {
  await using folder = await scratchFolder();
  const file = join(folder.path, 'ports.json');
  const last = await freePorts();
  writeFileSync(file, JSON.stringify({ ...last, temporal: last.api }));

  const { ports } = await choose(file);
  expect(new Set(Object.values(ports)).size).toBe(NAMES.length);
});

it('takes a port that was asked for, for this start only', async () => {
  await using folder = await scratchFolder();
  const file = join(folder.path, 'ports.json');
  const { api: wished, ...others } = await freePorts();
  writeFileSync(file, JSON.stringify(others));

  expect((await choose(file, { api: wished })).ports).toEqual({ ...others, api: wished });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(others);
});

it('does without the file of the last start when that is torn', async () => {
  await using folder = await scratchFolder();
  const file = join(folder.path, 'ports.json');
  writeFileSync(file, '{"api":40');
  const wished = await freePorts();
  expect((await choose(file, wished)).ports).toEqual(wished);
});

async function choose(file: string, wished: Partial<Ports> = {}): Promise<{ ports: Ports; moves: Moves }> {
  const moves: Moves = [];
  const ports = await choosePorts(file, wished, (...move) => moves.push(move));
  return { ports, moves };
}

async function listen(host: string, wished = 0): Promise<AsyncDisposable & { port: number }> {
  const server = createServer().listen(wished, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * Found without the module under test, which never gives out again what it has given out, and outside of the ranges that
 * the system and the other tests take ports from: they must still be free a moment later.
 */
async function freePorts(): Promise<Ports> {
  const entries: [PortName, number][] = [];
  for (const name of NAMES) entries.push([name, await freePort()]);
  return Object.fromEntries(entries) as Ports;
}

const given = new Set<number>();

async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 19_000);
    if (given.has(port)) continue;
    given.add(port);
    try {
      await using server = await listen('127.0.0.1', port);
      return server.port;
    } catch {
      // Somebody else's: the next one.
    }
  }
}

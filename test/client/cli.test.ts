import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NucleusClient } from '#client';
import { scratchFolder } from '../support/folder.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { type CliAnswer, callNucleusCli, runNucleusCli, startNucleusCli } from '../support/nucleus-cli.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('cli');
const TOKEN = 'an-api-token-of-24-characters';

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
let guarded: HttpApp;
let client: NucleusClient;
let folder: AsyncDisposable & { path: string };

beforeAll(async () => {
  [graph, temporal, folder] = await Promise.all([openSharedGraph(), openOwnNamespace('cli'), scratchFolder()]);
  app = await openHttpApp(graph, {
    temporal: temporal.client,
    healthChecks: { neo4j: () => graph.driver.verifyConnectivity() },
  });
  guarded = await openHttpApp(graph, { temporal: temporal.client, apiToken: TOKEN });
  client = new NucleusClient({ url: app.url });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  for (const server of [app, guarded]) await server[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const tag = (name: string) => `nucleus:tag:${PREFIX}-${name}`;
const nucleus = (args: readonly string[], input?: string, env: Record<string, string> = {}): Promise<CliAnswer> =>
  callNucleusCli(args, { env: { NUCLEUS_URL: app.url, ...env }, ...(input !== undefined && { input }) });
const jsonOf = (answer: CliAnswer) => JSON.parse(answer.stdout);
const file = (name: string, text: string) => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};

describe('upsert', () => {
  it('writes an entity from flags, then a link, then removes a property', async () => {
    const urn = tag('flags');
    const first = await nucleus([
      'upsert',
      '--kind',
      'Tag',
      '--key',
      `name=${PREFIX}-flags`,
      '--set',
      'color=#cc0000',
      '--set-json',
      'attributes={"a":[1]}',
      '--json',
    ]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(jsonOf(first)).toMatchObject({ entities: [{ urn, outcome: 'CREATED', version: 1 }], userErrors: [] });
    expect(await client.node(urn)).toMatchObject({ properties: { color: '#cc0000', attributes: { a: [1] } } });

    await client.upsert({ entities: [{ urn: tag('other') }] });
    const second = await nucleus(['upsert', '--urn', urn, '--unset', 'color', '--link', `TAGGED=${tag('other')}`]);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(
      new RegExp(`^UPDATED ${urn} v2\nCREATED ${urn} -TAGGED-> ${tag('other')} v1\ncommit \\S+\n$`),
    );
    const { properties } = (await client.node(urn)) ?? {};
    expect(properties).not.toHaveProperty('color');
  });

  it('takes a JSON file in each of its forms', async () => {
    const forms = [
      { urn: tag('json-1') },
      [{ urn: tag('json-2') }, { urn: tag('json-3') }],
      { entities: [{ urn: tag('json-4') }], links: [{ kind: 'TAGGED', from: tag('json-1'), to: tag('json-4') }] },
    ];
    for (const [index, form] of forms.entries()) {
      expect(await nucleus(['upsert', file(`${index}.json`, JSON.stringify(form))])).toMatchObject({ code: 0 });
    }
    const found = await client.nodes([1, 2, 3, 4].map((index) => tag(`json-${index}`)));
    expect(found).not.toContain(null);
    expect(await nucleus(['upsert', '--format', 'json', '-'], JSON.stringify({ urn: tag('json-1') }))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('UNCHANGED'),
    });
  });

  it('says what was refused and why, by text, JSON and exit code', async () => {
    await client.upsert({ entities: [{ urn: tag('taken') }] });
    const stale = ['upsert', '--urn', tag('taken'), '--if-version', '0'];
    const told = await nucleus(stale);
    expect(told).toMatchObject({ code: 4, stdout: expect.stringMatching(/^REFUSED /) });
    expect(told.stderr).toMatch(/^nucleus: input\.entities\.0\S*: .* \[CONFLICT\]\n$/);
    const json = await nucleus([...stale, '--json']);
    expect(json).toMatchObject({ code: 4, stderr: '' });
    expect(jsonOf(json)).toMatchObject({ userErrors: [{ code: 'CONFLICT', elementIndex: 0 }] });
    expect(await nucleus(['upsert', '--urn', tag('taken'), '--set', 'nonsense=1'])).toMatchObject({ code: 2 });
  });

  it.each([
    ['nothing to write', ['upsert']],
    ['a pair without a name', ['upsert', '--urn', 'x', '--set', 'colour']],
    ['a value that is not JSON', ['upsert', '--urn', 'x', '--set-json', 'a={']],
    ['the same name twice', ['upsert', '--urn', 'x', '--set', 'a=1', '--set', 'a=2']],
    ['a file that is not there', ['upsert', '/nowhere/rows.json']],
    ['a file of a form that its name does not tell', ['upsert', '/etc/hostname']],
    ['Arrow without a kind', ['upsert', '--format', 'arrow', '-']],
    ['a flag that does not go with a file', ['upsert', '--format', 'json', '--urn', 'x', '-']],
    ['an unknown option', ['upsert', '--colour', 'red']],
    ['an address that is none', ['upsert', '--urn', 'x', '--url', 'nonsense']],
    ['an option given twice', ['upsert', '--urn', 'x', '--urn', 'y']],
  ])('refuses %s as bad usage, in one line', async (_, args) => {
    const answer = await nucleus(args, '');
    expect(answer).toMatchObject({ code: 2, stdout: '' });
    expect(answer.stderr).toMatch(/^nucleus: [^\n]+\n$/);
  });
});

describe('get, search and delete', () => {
  it('show what is there, with links and history, and say what is not', async () => {
    const [urn, other] = [tag('shown'), tag('shown-too')];
    await client.upsert({
      entities: [{ urn, properties: { description: 'two words' } }, { urn: other }],
      links: [{ kind: 'TAGGED', from: urn, to: other }],
    });
    const text = await nucleus(['get', urn, '--links', '--history']);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain(`Tag ${PREFIX}-shown\n`);
    expect(text.stdout).toContain('description: two words\n');
    expect(text.stdout).toContain(`-TAGGED-> ${other}\n`);
    expect(text.stdout).toContain(`CREATED Tag ${urn} v1`);

    const partly = await nucleus(['get', urn, tag('missing'), '--json']);
    expect(partly.code).toBe(3);
    expect(jsonOf(partly)).toMatchObject({ urn, kind: 'Tag', version: 1 });
    expect(JSON.parse(partly.stderr)).toMatchObject({
      error: { code: 'NOT_FOUND', details: { urns: [tag('missing')] } },
    });
  });

  it('find by words', async () => {
    const word = `w${PREFIX.replaceAll('-', '')}`;
    await client.upsert({
      entities: ['f1', 'f2', 'f3'].map((name) => ({ urn: tag(name), properties: { description: word } })),
    });
    await expect.poll(() => client.search(word).all(), { timeout: 10_000 }).toHaveLength(3);
    const found = await nucleus(['search', '--kind', 'Tag', word, '--limit', '2', '--json']);
    expect(found.code).toBe(0);
    const hits = found.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(hits).toHaveLength(2);
    expect(hits[0]).toMatchObject({
      node: { kind: 'Tag' },
      score: expect.any(Number),
      highlights: [{ property: 'description' }],
    });
    expect(await nucleus(['search', `no${word}`])).toMatchObject({ code: 0, stdout: '', stderr: 'nothing found\n' });
  });

  it('delete softly, one version alone, a link, or for good', async () => {
    const [urn, other] = [tag('gone'), tag('gone-too')];
    await client.upsert({ entities: [{ urn }, { urn: other }], links: [{ kind: 'TAGGED', from: urn, to: other }] });
    expect(await nucleus(['delete', '--link', 'TAGGED', '--from', urn, '--to', other])).toMatchObject({ code: 0 });
    expect(await client.links(urn).all()).toEqual([]);
    expect(await nucleus(['delete', urn, '--if-version', '7'])).toMatchObject({ code: 4 });
    expect(await nucleus(['delete', urn])).toMatchObject({ code: 0, stdout: expect.stringContaining('DELETED') });
    expect(await client.node(urn)).toBeNull();
    expect(await nucleus(['delete', urn, other, '--purge', '--json'])).toMatchObject({ code: 0 });
    expect(await client.nodes([urn, other], { includeDeleted: true })).toEqual([null, null]);
    expect(await nucleus(['delete'])).toMatchObject({ code: 2 });
  });
});

describe('tail', () => {
  const start = (args: readonly string[], url = app.url) =>
    startNucleusCli(['tail', '--operation', 'CREATED', ...args], { env: { NUCLEUS_URL: url } });
  const urnsIn = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).items[0].urn);

  it('goes on where the last one ended, by its cursor file', async () => {
    const urns = ['t1', 't2', 't3'].map(tag);
    const cursorFile = join(folder.path, 'cursor');
    const args = ['--json', '--cursor-file', cursorFile, ...urns.flatMap((urn) => ['--urn', urn])];
    const { head } = await client.changeLog();
    for (const urn of urns.slice(0, 2)) await client.upsert({ entities: [{ urn }] });
    await using first = start([...args, '--after', head, '--limit', '1']);
    expect(await first.ended).toMatchObject({ code: 0, stderr: '' });
    expect(urnsIn(await first.lines(1))).toEqual(urns.slice(0, 1));
    expect(readFileSync(cursorFile, 'utf8')).toBe(`${JSON.parse(first.stdout()).cursor}\n`);

    await using second = start(args);
    await second.lines(1);
    await client.upsert({ entities: [{ urn: tag('t3') }] });
    expect(urnsIn(await second.lines(2))).toEqual(urns.slice(1));
    second.kill('SIGINT');
    expect((await second.ended).code).toBe(130);
  });

  it('survives a restart of the server, and says so', async () => {
    const urns = ['s1', 's2', 's3'].map(tag);
    const server = await openHttpApp(graph, { temporal: temporal.client });
    const { head } = await client.changeLog();
    await client.upsert({ entities: [{ urn: tag('s1') }] });
    await using tail = start([...urns.flatMap((urn) => ['--urn', urn]), '--after', head], server.url);
    expect(await tail.lines(1)).toEqual([expect.stringMatching(`CREATED Tag ${tag('s1')} v1.* by api$`)]);
    await server[Symbol.asyncDispose]();
    await tail.told('connecting again');
    await client.upsert({ entities: [{ urn: tag('s2') }] });
    await using _ = await openHttpApp(graph, { temporal: temporal.client, port: server.port });
    await client.upsert({ entities: [{ urn: tag('s3') }] });
    const lines = await tail.lines(3);
    expect(lines.map((line) => urns.find((urn) => line.includes(urn)))).toEqual(urns);
  });

  it('ends quietly when nobody reads it any more', async () => {
    const { head } = await client.changeLog();
    await client.upsert({ entities: [{ urn: tag('e1') }] });
    await using tail = start(['--urn', tag('e1'), '--urn', tag('e2'), '--after', head]);
    await tail.lines(1);
    tail.stopReading();
    await client.upsert({ entities: [{ urn: tag('e2') }] });
    expect(await tail.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('is refused with a cursor that is none', async () => {
    expect(await nucleus(['tail', '--after', 'yesterday'])).toMatchObject({ code: 2 });
    expect(await nucleus(['tail', '--after', 'x', '--since-start'])).toMatchObject({ code: 2 });
  });
});

describe('the token', () => {
  it('comes from the environment, a file or a flag, and is never shown', async () => {
    const path = file('token', `${TOKEN}\n`);
    const ways: [string[], Record<string, string>][] = [
      [[], { NUCLEUS_API_TOKEN: TOKEN }],
      [[], { NUCLEUS_API_TOKEN_FILE: path }],
      [['--token-file', path], {}],
      [['--token', TOKEN], {}],
    ];
    for (const [args, env] of ways) {
      const answer = await nucleus(['get', tag('none'), '--url', guarded.url, ...args], undefined, env);
      expect(answer.code).toBe(3);
      expect(answer.stdout + answer.stderr).not.toContain(TOKEN);
    }
  });

  it('that is missing, wrong or given twice is told apart', async () => {
    const get = ['get', tag('none'), '--url', guarded.url];
    expect(await nucleus(get)).toMatchObject({ code: 5, stderr: expect.stringContaining('UNAUTHENTICATED') });
    const wrong = await nucleus(get, undefined, { NUCLEUS_API_TOKEN: 'wrong-token-of-24-characters' });
    expect(wrong).toMatchObject({ code: 5 });
    expect(wrong.stderr).not.toContain('wrong-token');
    const both = { NUCLEUS_API_TOKEN: TOKEN, NUCLEUS_API_TOKEN_FILE: '/nowhere' };
    expect(await nucleus(get, undefined, both)).toMatchObject({ code: 2 });
    expect(await nucleus([...get, '--token-file', '/nowhere'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ENOENT'),
    });
    const broken = await nucleus(get, undefined, { NUCLEUS_API_TOKEN: 'line\nbreak' });
    expect(broken).toMatchObject({ code: 2 });
    expect(broken.stderr).not.toContain('break');
  });
});

describe('doctor', () => {
  const findings = (answer: CliAnswer) =>
    Object.fromEntries(
      jsonOf(answer).checks.map(({ name, status }: { name: string; status: string }) => [name, status]),
    );

  it('finds a healthy server healthy', async () => {
    const answer = await nucleus(['doctor', '--json']);
    expect(jsonOf(answer)).toMatchObject({ healthy: true, url: app.url });
    expect(new Set(Object.values(findings(answer)))).toEqual(new Set(['ok']));
    expect(answer.code).toBe(0);
    expect((await nucleus(['doctor'])).stdout).toMatch(/^ok +server +http:/);
  });

  it('names a store that is down, and still checks the rest', async () => {
    await using limping = await openHttpApp(graph, {
      temporal: temporal.client,
      healthChecks: { temporal: () => Promise.reject(new Error('down')) },
    });
    const answer = await nucleus(['doctor', '--json', '--url', limping.url]);
    expect(answer.code).toBe(6);
    expect(findings(answer)).toMatchObject({ stores: 'failed', subscriptions: 'ok' });
    const stores = jsonOf(answer).checks.find(({ name }: { name: string }) => name === 'stores');
    expect(stores).toMatchObject({ detail: 'temporal unavailable', remedy: expect.any(String) });
  });

  it('tells a missing token from a missing server', async () => {
    const denied = await nucleus(['doctor', '--json', '--url', guarded.url]);
    expect(denied.code).toBe(5);
    expect(findings(denied)).toMatchObject({ server: 'ok', token: 'failed', api: 'skipped', subscriptions: 'skipped' });
    const absent = await nucleus(['doctor', '--url', 'http://127.0.0.1:1']);
    expect(absent).toMatchObject({
      code: 6,
      stdout: expect.stringMatching(/^failed +server +no answer[^\n]*\n +start the server/),
    });
  });
});

describe('the command line', () => {
  it('runs as a process, fed by a pipe, and tells the shell how it ended', async () => {
    const env = { NUCLEUS_URL: app.url };
    const input = JSON.stringify({ urn: tag('piped') });
    const written = await runNucleusCli(['upsert', '--format', 'json', '-', '--json'], { env, input });
    expect(written).toMatchObject({ code: 0, stderr: '' });
    expect(jsonOf(written)).toMatchObject({ entities: [{ urn: tag('piped'), outcome: 'CREATED' }] });
    expect(await runNucleusCli(['get', tag('absent')], { env })).toMatchObject({ code: 3, stdout: '' });
  });

  it('paints for people only, and not for those who say NO_COLOR', async () => {
    const env = { NUCLEUS_URL: app.url };
    await client.upsert({ entities: [{ urn: tag('painted') }] });
    const get = (options: object) => callNucleusCli(['get', tag('painted')], { env, ...options });
    expect((await get({ terminal: true })).stdout).toContain('\u001b[36mTag\u001b[0m');
    for (const plain of [
      {},
      { terminal: true, env: { ...env, NO_COLOR: '1' } },
      { terminal: true, env: { ...env, TERM: 'dumb' } },
    ]) {
      expect((await get(plain)).stdout).not.toContain('\u001b');
    }
  });

  it('explains every command with examples', async () => {
    const help = await nucleus(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    const commands = [...help.stdout.matchAll(/^ {2}nucleus (\w+)/gm)].map(([, name = '']) => name);
    expect(commands).toEqual([
      'upsert',
      'get',
      'search',
      'lineage',
      'tail',
      'delete',
      'endpoint',
      'inbox',
      'retention',
      'doctor',
      'completion',
    ]);
    for (const command of commands) {
      const { code, stdout } = await nucleus([command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain('Examples:');
    }
  });

  it('takes a command that is none, or none at all, as bad usage', async () => {
    expect(await nucleus(['frobnicate'])).toMatchObject({ code: 2, stdout: '' });
    expect(await nucleus([])).toMatchObject({ code: 2, stdout: '' });
    const json = await nucleus(['frobnicate', '--json']);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'USAGE' } });
  });

  it('says that a server is unreachable', async () => {
    const answer = await nucleus(['get', 'x', '--url', 'http://127.0.0.1:1', '--timeout', '1']);
    expect(answer).toMatchObject({ code: 6, stderr: expect.stringMatching(/no answer/) });
  });

  it('completes commands, options and their values in bash', async () => {
    const { stdout: script } = await nucleus(['completion', 'bash']);
    expect(script).toContain('complete -o default -F');
    const words = async (...line: string[]) =>
      (await nucleus(['--get-yargs-completions', 'nucleus', ...line])).stdout.trimEnd().split('\n');
    expect(await words('')).toEqual(expect.arrayContaining(['upsert', 'tail']));
    expect(await words('tail', '--')).toEqual(expect.arrayContaining(['--since-start', '--json']));
    expect(await words('tail', '--operation', '')).toEqual(expect.arrayContaining(['CREATED', 'PURGED']));
    const typed = [
      `nucleus() { '${process.execPath}' client/bin/nucleus.mjs "$@"; }`,
      'eval "$(nucleus completion bash)"',
      'COMP_WORDS=(nucleus tail --si) COMP_CWORD=2',
      '_nucleus_complete',
      'echo "$COMPREPLY"',
    ];
    const { stdout: completed } = await promisify(execFile)('bash', ['-c', typed.join('\n')]);
    expect(completed).toBe('--since-start\n');
    expect((await nucleus(['completion', 'zsh'])).stdout).toContain('compdef _nucleus_complete nucleus');
    expect(await nucleus(['completion', 'fish'])).toMatchObject({ code: 2 });
  });
});

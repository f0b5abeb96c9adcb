import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cypherFile, SAVED_QUERIES } from '#graph-schema';
import { scratchFolder } from '../support/folder.js';
import { type IntakeApp, openIntakeApp } from '../support/intake-app.js';

const ORIGIN = { origin: 'http://neo4j.example:7474' };

let opened: IntakeApp;
beforeAll(async () => {
  opened = await openIntakeApp({ apiToken: randomBytes(24).toString('base64url') });
});
afterAll(() => opened[Symbol.asyncDispose]());

describe('what Neo4j Browser loads', () => {
  it.each([
    ['guide.html', 'text/html; charset=utf-8', '<carousel'],
    ['guide.adoc', 'text/asciidoc; charset=utf-8', '= Nucleus'],
    ['style.grass', 'text/plain; charset=utf-8', 'node.Dataset {'],
    ['queries.cypher', 'text/plain; charset=utf-8', '// Orphans'],
    ['queries/orphans.cypher', 'text/plain; charset=utf-8', '// Orphans'],
  ])('%s may be read from every origin, and needs no token', async (name, type, part) => {
    const answer = await opened.app.call('GET', `/browser/${name}`, ORIGIN);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(type);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.text).toContain(part);
  });

  it('lets Neo4j Browser send the headers with which it asks for guides', async () => {
    const answer = await opened.app.call('OPTIONS', '/browser/guide.html', {
      ...ORIGIN,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'cache-control,pragma',
    });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': '*',
    });
  });

  it('names the style by the address under which the guide was asked for', async () => {
    const answer = await opened.app.call('GET', '/browser/guide.html', { host: 'nucleus.example:4000' });
    expect(answer.text).toContain(':style http://nucleus.example:4000/browser/style.grass');
  });

  it('opens nothing else to other origins', async () => {
    for (const [method, path] of [
      ['GET', '/graphiql'],
      ['POST', '/graphql'],
      ['POST', '/browser/guide.html'],
      ['GET', '/browserx'],
    ] as const) {
      const answer = await opened.app.call(method, path, { 'content-type': 'application/json', ...ORIGIN }, undefined);
      expect([method, path, answer.status]).toEqual([method, path, 403]);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('has the favourites as an archive that other programs read', async () => {
    await using folder = await scratchFolder();
    const file = join(folder.path, 'queries.zip');
    const response = await fetch(`${opened.app.url}/browser/queries.zip`);
    expect(response.headers.get('content-type')).toBe('application/zip');
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    const read =
      'import json, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; ' +
      'print(json.dumps({n: z.read(n).decode() for n in z.namelist()}))';
    const { stdout } = await promisify(execFile)('.venv/bin/python', ['-c', read, file]);
    expect(JSON.parse(stdout)).toEqual(
      Object.fromEntries(SAVED_QUERIES.map((query) => [`Nucleus/${query.id}.cypher`, cypherFile(query)])),
    );
  });
});

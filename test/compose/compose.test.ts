import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS, type Setting } from '#config';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

type Service = {
  image?: string;
  build?: { context: string; dockerfile: string };
  command?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  profiles?: string[];
};
type Compose = {
  services: Record<string, Service>;
  secrets: Record<string, { environment: string }>;
  volumes: Record<string, null>;
};

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const compose: Compose = parse(text, { merge: true });
const services = Object.entries(compose.services).map(([name, service]) => ({ name, service }));
const lasting = services.filter(({ service }) => service.profiles === undefined);

describe('docker-compose.yml', () => {
  it('follows the schema of the Compose Specification', () => {
    const folder = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
    const schema = JSON.parse(readFileSync(join(folder, 'schemas', 'compose.schema.json'), 'utf8'));
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const validate = ajv.compile({ ...schema, $schema: undefined });
    expect(validate(compose) ? [] : validate.errors).toEqual([]);
  });

  it('has everything that Nucleus consists of', () => {
    expect(lasting.map(({ name }) => name).sort()).toEqual(
      ['control-worker', 'data-worker', 'neo4j', 'postgres', 'server', 'temporal', 'temporal-postgres'].sort(),
    );
  });

  it.each(lasting)('checks the health of $name', ({ service }) => {
    expect(service.healthcheck?.disable).toBeUndefined();
    expect(service.healthcheck?.test?.length).toBeGreaterThan(1);
  });

  it.each(services)('starts $name after what it needs is healthy', ({ service }) => {
    for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(compose.services).toHaveProperty(needed);
      expect(condition).toBe('service_healthy');
    }
  });

  it.each(services)('publishes $name on loopback only', ({ service }) => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it.each(services)('gives $name no secret that stands in the file', ({ service }) => {
    for (const [name, value] of Object.entries(service.environment ?? {})) {
      if (!/PASSWORD|PWD|TOKEN|SECRET|AUTH|KEY/.test(name)) continue;
      expect(`${name}=${value}`).toMatch(/_FILE=\/run\/secrets\/[a-z0-9_]+$|=\$\{[A-Z0-9_]+:\?[^}]+\}$/);
    }
    expect(JSON.stringify(service)).not.toMatch(/:\/\/[^/"@]*:[^/"@]*@/);
  });

  it.each(services)('mounts the secrets of $name that its variables name', ({ service }) => {
    const named = [...JSON.stringify(service).matchAll(/\/run\/secrets\/([a-z0-9_]+)/g)].map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual([...(service.secrets ?? [])].sort());
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
  });

  it.each(services)('pins the image of $name, or builds it here', ({ service }) => {
    if (service.build !== undefined) {
      expect(existsSync(join(ROOT, service.build.context, service.build.dockerfile))).toBe(true);
      return;
    }
    const builtHere = services.some((other) => other.service.build && other.service.image === service.image);
    if (!builtHere) expect(service.image).toMatch(/:\d+\.\d+/);
  });

  it.each(services)('mounts only named volumes into $name', ({ service }) => {
    for (const volume of service.volumes ?? []) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
  });

  it('gives our own processes only settings that exist', () => {
    const known = (Object.entries(SETTINGS) as [string, Setting][]).flatMap(([name, setting]) =>
      setting.secret ? [name, `${name}_FILE`] : [name],
    );
    for (const name of ['server', 'control-worker', 'data-worker']) {
      expect(known).toEqual(expect.arrayContaining(Object.keys(compose.services[name]?.environment ?? {})));
    }
  });

  it('asks callers for a token, because the server listens on more than loopback inside its container', () => {
    const { HOST, NUCLEUS_API_TOKEN_FILE } = compose.services.server?.environment ?? {};
    expect([HOST, NUCLEUS_API_TOKEN_FILE]).toEqual(['0.0.0.0', '/run/secrets/nucleus_api_token']);
  });

  it('runs files that exist', () => {
    const commands = services.flatMap(({ service }) => [
      ...(service.command ?? []),
      ...(service.healthcheck?.test ?? []),
    ]);
    const files = commands.join(' ').match(/[\w-]+\/[\w/-]+\.(?:ts|py|mjs)\b/g) ?? [];
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const file of files) expect({ file, exists: existsSync(join(ROOT, file)) }).toEqual({ file, exists: true });
  });

  it('uses every secret and volume that it declares, and docker/make-env.sh makes each secret', () => {
    const script = readFileSync(join(ROOT, 'docker', 'make-env.sh'), 'utf8');
    for (const [name, { environment }] of Object.entries(compose.secrets)) {
      expect(services.some(({ service }) => service.secrets?.includes(name))).toBe(true);
      expect(script).toMatch(new RegExp(`^${environment}=\\S`, 'm'));
    }
    for (const volume of Object.keys(compose.volumes)) {
      expect(services.some(({ service }) => service.volumes?.some((mount) => mount.startsWith(`${volume}:`)))).toBe(
        true,
      );
    }
  });
});

describe.each(['docker/server.Dockerfile', 'docker/python.Dockerfile'])('%s', (path) => {
  const lines = readFileSync(join(ROOT, path), 'utf8').replace(/\\\n/g, ' ').split('\n');

  it('runs as somebody other than root, from pinned images, in more than one stage', () => {
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
    expect(last.find((line) => line.startsWith('USER '))).toMatch(/^USER (?!root|0)/);
    const bases = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]);
    expect(bases.length).toBeGreaterThan(1);
    for (const base of bases) expect(base).toMatch(/:\d/);
  });

  it('copies only what is here and what .dockerignore lets through', () => {
    const letThrough = readFileSync(join(ROOT, '.dockerignore'), 'utf8').match(/(?<=^!).+$/gm) ?? [];
    const sources = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(sources.length).toBeGreaterThan(1);
    for (const source of sources) {
      expect({ source, exists: existsSync(join(ROOT, source)) }).toEqual({ source, exists: true });
      expect(letThrough.some((entry) => source === entry || source.startsWith(`${entry}/`))).toBe(true);
    }
  });
});

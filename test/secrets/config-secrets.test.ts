import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import {
  mergeConfig,
  redactConfigSecrets,
  SecretBox,
  sealConfigSecrets,
  sealedConfigSchema,
} from '../../server/secrets/index.js';
import vectors from './vectors.json' with { type: 'json' };

const box = SecretBox.fromBase64(vectors.key);
const TO = { box, endpointId: 'crm', field: 'input.config' };

const SECRET = { type: 'string', writeOnly: true, format: 'password', minLength: 3 };
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['host', 'password'],
  properties: {
    host: { type: 'string' },
    password: SECRET,
    proxyPassword: { anyOf: [SECRET, { type: 'null' }], default: null },
    tls: { $ref: '#/$defs/Tls' },
    auth: { anyOf: [{ $ref: '#/$defs/Token' }, { type: 'null' }] },
    tags: { type: 'array', items: { type: 'string' } },
  },
  $defs: {
    Tls: { type: 'object', properties: { mode: { type: 'string' }, keyPassphrase: SECRET } },
    Token: { type: 'object', properties: { header: { type: 'string' }, token: { $ref: '#/$defs/SecretText' } } },
    SecretText: SECRET,
  },
};

const GIVEN = {
  host: 'db.example',
  password: 'pass-canary',
  proxyPassword: null,
  tls: { mode: 'verify-full', keyPassphrase: 'tls-canary' },
  auth: { header: 'X-Token', token: 'token-canary' },
  tags: ['a', 'b'],
};

type Sealed = { $sealed: string };

describe('sealing a config', () => {
  it('seals every secret to its own place and leaves the rest alone', () => {
    const stored = sealConfigSecrets(GIVEN, SCHEMA, TO) as typeof GIVEN;
    expect(JSON.stringify(stored)).not.toContain('canary');
    expect(stored).toEqual({
      ...GIVEN,
      password: { $sealed: expect.stringMatching(/^v1\./) },
      tls: { mode: 'verify-full', keyPassphrase: { $sealed: expect.any(String) } },
      auth: { header: 'X-Token', token: { $sealed: expect.any(String) } },
    });
    const open = (sealed: unknown, field: string) => box.open(sealed as Sealed, { endpointId: 'crm', field });
    expect(open(stored.password, 'password')).toBe('pass-canary');
    expect(open(stored.tls.keyPassphrase, 'tls.keyPassphrase')).toBe('tls-canary');
    expect(open(stored.auth.token, 'auth.token')).toBe('token-canary');
    expect(() => open(stored.password, 'auth.token')).toThrowError(expect.objectContaining({ reason: 'not-openable' }));
  });

  it('leaves missing and null secrets as they are, so that a sealed patch is a patch', () => {
    expect(sealConfigSecrets({ host: 'x' }, SCHEMA, TO)).toEqual({ host: 'x' });
    expect(sealConfigSecrets({ password: null }, SCHEMA, TO)).toEqual({ password: null });
  });

  it('does not change the config that it was given', () => {
    const given = structuredClone(GIVEN);
    sealConfigSecrets(given, SCHEMA, TO);
    expect(given).toEqual(GIVEN);
  });

  const someone = box.seal('theirs', { endpointId: 'other', field: 'password' });
  it.each([
    ['as a secret', { password: someone }, 'input.config.password'],
    ['as a nested secret', { tls: { keyPassphrase: someone } }, 'input.config.tls.keyPassphrase'],
    ['in a field that is no secret', { host: someone }, 'input.config.host'],
    ['in a list', { tags: ['a', { deep: someone }] }, 'input.config.tags'],
    ['as the whole config', someone, 'input.config.$sealed'],
    ['malformed', { password: { $sealed: 7 } }, 'input.config.password'],
    ['with more beside it', { password: { ...someone, x: 1 } }, 'input.config.password'],
  ])('refuses a sealed value from a caller, %s', (_, config, field) => {
    expect(() => sealConfigSecrets(config, SCHEMA, TO)).toThrowError(
      expect.objectContaining({ name: 'InputError', problems: [expect.objectContaining({ field })] }),
    );
  });

  it('names every secret that is no text, and shows none of it', () => {
    try {
      sealConfigSecrets({ password: 4711, tls: { keyPassphrase: ['canary'] } }, SCHEMA, TO);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        problems: [{ field: 'input.config.password' }, { field: 'input.config.tls.keyPassphrase' }],
      });
      expect(JSON.stringify(error) + String(error)).not.toMatch(/canary|4711/);
    }
  });

  it.each([
    ['in list items', { properties: { keys: { type: 'array', items: SECRET } } }, 'keys'],
    [
      'behind a reference in list items',
      { properties: { keys: { items: { $ref: '#/$defs/s' } } }, $defs: { s: SECRET } },
      'keys',
    ],
    ['under free-form names', { properties: { headers: { additionalProperties: SECRET } } }, 'headers'],
    ['under name patterns', { patternProperties: { '^x': SECRET } }, ''],
    ['under a condition', { if: {}, else: { properties: { password: SECRET } } }, ''],
    ['as the whole config', SECRET, ''],
    ['under a name with a dot', { properties: { 'a.b': SECRET } }, 'a.b'],
    ['in a schema that contains itself', { properties: { a: { $ref: '#/properties/a' } } }, 'a'],
    ['behind a reference to nowhere', { properties: { a: { $ref: '#/$defs/none' } } }, 'a'],
    ['behind a remote reference', { properties: { a: { $ref: 'https://example.com/x' } } }, 'a'],
  ])('refuses a template with a secret %s instead of storing it in clear', (_, schema, place) => {
    expect(() => sealConfigSecrets({}, schema, TO)).toThrowError(
      expect.objectContaining({ name: 'SecretSchemaError', details: { place } }),
    );
  });
});

describe('showing a stored config', () => {
  it('leaves secrets out and lists which are set', () => {
    const stored = sealConfigSecrets(GIVEN, SCHEMA, TO);
    expect(redactConfigSecrets(stored, SCHEMA)).toEqual({
      config: {
        host: 'db.example',
        tls: { mode: 'verify-full' },
        auth: { header: 'X-Token' },
        tags: ['a', 'b'],
      },
      secretsSet: ['auth.token', 'password', 'tls.keyPassphrase'],
    });
  });

  it('leaves out what is sealed even when the template has forgotten that it is a secret', () => {
    const stored = { host: 'x', old: box.seal('s', { endpointId: 'crm', field: 'old' }), list: [{ $sealed: 'v1.x' }] };
    expect(redactConfigSecrets(stored, {})).toEqual({ config: { host: 'x' }, secretsSet: ['list', 'old'] });
  });

  it('leaves a secret out that was stored in clear by mistake', () => {
    const shown = redactConfigSecrets({ password: 'clear-canary' }, SCHEMA);
    expect(shown).toEqual({ config: {}, secretsSet: ['password'] });
  });
});

describe('changing a stored config', () => {
  const stored = sealConfigSecrets(GIVEN, SCHEMA, TO) as typeof GIVEN;

  it('keeps what is left out, the secrets too', () => {
    expect(mergeConfig(stored, { host: 'new' })).toEqual({ ...stored, host: 'new' });
    expect(mergeConfig(stored, { tls: { mode: 'require' } })).toEqual({
      ...stored,
      tls: { mode: 'require', keyPassphrase: stored.tls.keyPassphrase },
    });
  });

  it('removes what is null', () => {
    const { password: _, ...rest } = stored;
    expect(mergeConfig(stored, { password: null })).toEqual(rest);
    expect(mergeConfig(stored, { tls: { keyPassphrase: null } })).toEqual({ ...stored, tls: { mode: 'verify-full' } });
  });

  it('replaces a sealed secret as a whole', () => {
    const renewed = sealConfigSecrets({ password: 'renewed' }, SCHEMA, TO);
    expect(mergeConfig(stored, renewed)).toEqual({ ...stored, ...renewed });
    expect(mergeConfig(stored, { password: { a: 1 } })).toMatchObject({ password: { a: 1 } });
    expect(mergeConfig(stored, { password: { a: 1 } }).password).not.toHaveProperty('$sealed');
  });

  it('replaces lists as a whole and takes odd names as plain names', () => {
    const patch = JSON.parse('{"tags":["c"],"__proto__":{"polluted":true}}');
    const merged = mergeConfig(stored, patch);
    expect(merged.tags).toEqual(['c']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(merged)).toContain('__proto__');
  });
});

describe('the schema of a stored config', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(sealedConfigSchema(SCHEMA));

  it('takes a secret sealed or in clear, by the rules of the template', () => {
    expect(validate(sealConfigSecrets(GIVEN, SCHEMA, TO))).toBe(true);
    expect(validate(GIVEN)).toBe(true);
    expect(validate({ ...GIVEN, password: 'ab' })).toBe(false);
    expect(validate({ ...GIVEN, password: 7 })).toBe(false);
    expect(validate({ host: 'x' })).toBe(false);
    expect(validate({ ...GIVEN, host: { $sealed: 'v1.x' } })).toBe(false);
  });
});

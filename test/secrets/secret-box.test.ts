import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sealedSecretSchema } from '#ingestion/contracts';
import { SecretBox } from '../../server/secrets/index.js';
import vectors from './vectors.json' with { type: 'json' };

const box = SecretBox.fromBase64(vectors.key);
const PLACE = { endpointId: 'demo-postgres', field: 'password' };

describe('the secret box', () => {
  it.each(vectors.opens)('seals to the known answer: $name', ({ endpointId, field, iv, aad, plaintext, sealed }) => {
    expect(aad).toBe(`nucleus:endpoint:${endpointId}:${field}`);
    const fixed = SecretBox.fromBase64(vectors.key, () => Buffer.from(iv, 'base64'));
    expect(fixed.seal(plaintext, { endpointId, field })).toEqual({ $sealed: sealed });
    expect(box.open({ $sealed: sealed }, { endpointId, field })).toBe(plaintext);
  });

  it.each(vectors.refused)('does not open: $name', ({ endpointId, field, sealed }) => {
    expect(() => box.open({ $sealed: sealed }, { endpointId, field })).toThrowError(
      expect.objectContaining({
        name: 'SecretError',
        reason: 'not-openable',
        details: expect.objectContaining({ field }),
      }),
    );
  });

  it('opens what it sealed, whatever the text, in the form of the contract', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (plaintext) => {
        const sealed = sealedSecretSchema.parse(box.seal(plaintext, PLACE));
        expect(box.open(sealed, PLACE)).toBe(plaintext);
      }),
    );
  });

  it('seals the same text differently each time', () => {
    const sealed = Array.from({ length: 100 }, () => box.seal('same', PLACE).$sealed);
    expect(new Set(sealed).size).toBe(100);
  });

  it.each([
    ['nothing', ''],
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['hexadecimal text', 'ab'.repeat(32)],
    ['characters outside base64', `${'!'.repeat(43)}=`],
  ])('refuses a key of %s without repeating it', (_, key) => {
    const attempt = () => SecretBox.fromBase64(key);
    expect(attempt).toThrowError(
      expect.objectContaining({ reason: 'key-invalid', message: expect.stringContaining('NUCLEUS_SECRET_KEY') }),
    );
    if (key !== '')
      expect(attempt).not.toThrowError(expect.objectContaining({ message: expect.stringContaining(key) }));
  });

  it('takes a key file as editors leave it, with a line end', () => {
    const sealed = SecretBox.fromBase64(`${vectors.key}\n`).seal('x', PLACE);
    expect(box.open(sealed, PLACE)).toBe('x');
  });

  it('shows neither key nor sealed text when it is printed or fails', () => {
    expect(inspect(box, { depth: 9, showHidden: true })).not.toContain(vectors.key);
    expect(JSON.stringify(box)).toBe('{}');
    const sealed = box.seal('hunter2', PLACE);
    try {
      box.open(sealed, { ...PLACE, field: 'other' });
      expect.unreachable();
    } catch (error) {
      const shown = inspect(error, { depth: 9 });
      expect(shown).not.toContain(sealed.$sealed.slice(3, 20));
      expect(shown).not.toContain('hunter2');
    }
  });
});

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { AppError } from '#errors';
import type { SealedSecret } from '#ingestion/contracts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;
const SEALED = /^v1\.([A-Za-z0-9_-]+)$/;

/** Where a secret belongs. It opens nowhere else, so a sealed value cannot be carried to another endpoint or field. */
type SecretPlace = {
  endpointId: string;
  /** Dotted path of the secret in the endpoint's config, e.g. `password`. */
  field: string;
};

/** `key-invalid`: the key cannot be used. `not-openable`: the sealed text is damaged, or of another key or place. */
const SECRET_FAULTS = ['key-invalid', 'not-openable'] as const;

/** Carries neither the key nor the secret nor the sealed text. */
class SecretError extends AppError {
  override readonly name = 'SecretError';
  readonly reason: (typeof SECRET_FAULTS)[number];

  constructor(reason: (typeof SECRET_FAULTS)[number], message: string, place?: SecretPlace) {
    super('INTERNAL_SERVER_ERROR', message, { details: { reason, ...place } });
    this.reason = reason;
  }
}

/**
 * Seals secrets with AES-256-GCM as `v1.<base64url of IV, ciphertext and tag>`, bound to endpoint and field by the
 * additional authenticated data. `runtime_common/sealed_secrets.py` opens them; test/secrets/vectors.json holds both to
 * one format. The IV is random: with 96 bits, one key is good for some 2^32 secrets (NIST SP 800-38D, section 8.3).
 */
export class SecretBox {
  readonly #key: KeyObject;
  readonly #newIv: () => Buffer;

  private constructor(key: KeyObject, newIv: () => Buffer) {
    this.#key = key;
    this.#newIv = newIv;
  }

  /**
   * @param text the key, 32 bytes in base64
   * @param newIv source of IVs; two equal ones under one key give both secrets away
   * @throws SecretError with reason `key-invalid`
   */
  static fromBase64(text: string, newIv: () => Buffer = () => randomBytes(IV_BYTES)): SecretBox {
    // Node ignores what is not base64, so a wrong key would go unnoticed until the worker fails to open with its own.
    if (!BASE64.test(text.trim())) {
      const rule = `must be ${KEY_BYTES} bytes in base64 (44 characters); make one with: openssl rand -base64 ${KEY_BYTES}`;
      throw new SecretError('key-invalid', `NUCLEUS_SECRET_KEY (or the file of NUCLEUS_SECRET_KEY_FILE) ${rule}`);
    }
    return new SecretBox(createSecretKey(Buffer.from(text.trim(), 'base64')), newIv);
  }

  seal(plaintext: string, place: SecretPlace): SealedSecret {
    const iv = this.#newIv();
    const cipher = createCipheriv(CIPHER, this.#key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(additionalData(place));
    const sealed = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { $sealed: `v1.${sealed.toString('base64url')}` };
  }

  /** @throws SecretError with reason `not-openable` */
  open({ $sealed }: SealedSecret, place: SecretPlace): string {
    const sealed = Buffer.from(SEALED.exec($sealed)?.[1] ?? '', 'base64url');
    if (sealed.length < IV_BYTES + TAG_BYTES) throw notOpenable(place);
    const decipher = createDecipheriv(CIPHER, this.#key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(additionalData(place));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw notOpenable(place);
    }
  }
}

function additionalData({ endpointId, field }: SecretPlace): Buffer {
  return Buffer.from(`nucleus:endpoint:${endpointId}:${field}`, 'utf8');
}

function notOpenable(place: SecretPlace): SecretError {
  const message =
    `the secret ${place.field} of endpoint ${place.endpointId} cannot be opened: it is damaged, or was sealed with another ` +
    'key or for another place; enter it again';
  return new SecretError('not-openable', message, place);
}

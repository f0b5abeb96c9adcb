import { z } from 'zod';

/** Ids name endpoints, units and templates. `::` separates the parts of a checkpoint key, so an id can never hold a colon. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export const idSchema = z
  .string()
  .regex(
    ID_PATTERN,
    'must start with a letter or digit and hold only letters, digits, "_", "." and "-" (128 characters at most)',
  );

/** A secret in an endpoint's config after sealing. It is opaque: only the Python worker opens it. */
export const sealedSecretSchema = z.strictObject({
  $sealed: z
    .string()
    .regex(/^v1\.[A-Za-z0-9_-]+$/)
    .describe('v1.<base64url of 12-byte IV, ciphertext and 16-byte GCM tag>'),
});
export type SealedSecret = z.infer<typeof sealedSecretSchema>;

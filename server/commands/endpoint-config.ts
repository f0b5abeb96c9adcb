import type { TemplateRecord } from '#graph-store';
import { mergeConfig, type SecretBox, sealConfigSecrets, sealedConfigSchema } from '../secrets/index.js';
import { checkAgainstSchema } from './config-validation.js';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The config to store when a caller sends `patch` over what is stored: secrets sealed, the whole held against the
 * template's schema. Plain text is checked by the template's own rules; what is sealed already passed them once.
 *
 * @throws InputError that names each field at fault, and for a caller that sends a sealed value instead of a secret
 */
export function sealedConfig(
  secrets: SecretBox,
  facts: { endpointId: string; template: TemplateRecord; stored: JsonObject; patch: JsonObject },
): JsonObject {
  const { endpointId, template, stored, patch } = facts;
  const field = 'input.config';
  const sealedPatch = sealConfigSecrets(patch, template.configSchema, { box: secrets, endpointId, field });
  checkAgainstSchema(sealedConfigSchema(template.configSchema), mergeConfig(stored, patch), field);
  return mergeConfig(stored, sealedPatch);
}

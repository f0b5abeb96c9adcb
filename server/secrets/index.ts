/**
 * Secrets of endpoint configs: sealed before they are stored, opened only by the Python worker, never shown again.
 *
 * @example
 * import { redactConfigSecrets, SecretBox, sealConfigSecrets } from './secrets/index.js';
 *
 * const box = SecretBox.fromBase64(keyText);
 * const schema = { properties: { host: { type: 'string' }, password: { type: 'string', writeOnly: true } } };
 * const given = { host: 'db', password: 'hunter2' };
 * const stored = sealConfigSecrets(given, schema, { box, endpointId: 'crm', field: 'input.config' });
 * redactConfigSecrets(stored, schema); // { config: { host: 'db' }, secretsSet: ['password'] }
 */
export { mergeConfig, redactConfigSecrets, sealConfigSecrets, sealedConfigSchema } from './config-secrets.js';
export { SecretBox } from './secret-box.js';

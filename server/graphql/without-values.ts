/** Reasons that graphql-js gives at the end of a message and that hold names of the schema alone. */
const SAFE_REASONS = [
  /Field "\w+" of required type "[\w![\]]+" was not provided\.$/,
  /Field "\w+" is not defined by type "\w+"\.( Did you mean [\w", ]+\?)?$/,
  /Expected (non-nullable )?type "[\w![\]]+" (to be an object|not to be null)\.$/,
  /\w+ cannot represent [\w -]+(?=:|$)/,
];

/**
 * A message of graphql-js without the values that it quotes: it repeats the whole value of a variable when one of its fields
 * is wrong, and that value may hold a secret.
 */
export function withoutValues(message: string): string {
  const variable = /^Variable "\$(\w+)" got invalid value /.exec(message)?.[1];
  if (variable === undefined) {
    return message
      .replace(/(String|BlockString) "[\s\S]*"/, '$1')
      .replace(/^(Expected value of type "[^"]+"), found [\s\S]*$/, '$1.')
      .replace(/( cannot represent [\w -]+): [\s\S]*$/, '$1.');
  }
  const path = / at "([\w.[\]]+)"; /.exec(message)?.[1] ?? variable;
  const reason = SAFE_REASONS.map((pattern) => pattern.exec(message)?.[0]).find((found) => found !== undefined);
  return `Variable "$${variable}" has an invalid value at "${path}": ${reason ?? 'it is not of the declared type.'}`;
}

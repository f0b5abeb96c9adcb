import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { InputError, type InputProblem } from '#errors';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * @param field dotted path of the value in the input, for instance `input.config`
 * @throws InputError that lists every rule broken; values are left out, because any of them may be a secret
 */
export function checkAgainstSchema(schema: JsonObject, value: unknown, field: string): void {
  const validate = compile(schema);
  if (validate(value)) return;
  const problems = (validate.errors ?? []).map((error) => problemOf(error, field));
  const [first, ...rest] = unique(problems);
  if (first !== undefined) throw new InputError([first, ...rest]);
}

/**
 * An instance for each call: one that is shared would keep every schema it has seen, and refuse a second one of the same
 * `$id`. Formats such as `password` and `path` are notes for forms, so unknown ones are let pass.
 */
function compile(schema: JsonObject): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

function problemOf(error: ErrorObject, field: string): InputProblem {
  const path = error.instancePath.split('/').filter(Boolean).map(unescapePointer);
  const named = error.params.missingProperty ?? error.params.additionalProperty ?? error.params.unevaluatedProperty;
  const full = [field, ...path, ...(typeof named === 'string' ? [named] : [])].join('.');
  return { code: 'BAD_USER_INPUT', field: full, message: messageOf(error) };
}

function messageOf(error: ErrorObject): string {
  switch (error.keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return 'is not a field of this template';
    case 'enum':
      return `must be one of ${(error.params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(', ')}`;
    default:
      return error.message ?? `breaks the rule ${error.keyword}`;
  }
}

/** JSON Pointer, RFC 6901 section 4. */
function unescapePointer(part: string): string {
  return part.replace(/~1/g, '/').replace(/~0/g, '~');
}

function unique(problems: readonly InputProblem[]): InputProblem[] {
  const seen = new Map(problems.map((problem) => [`${problem.field} ${problem.message}`, problem]));
  return [...seen.values()];
}

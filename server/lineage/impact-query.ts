import { z } from 'zod';
import { InputError, type InputProblem } from '#errors';
import { LINEAGE_LEVELS } from '#graph-schema';
import { LINEAGE_DIRECTIONS } from '#graph-store';

const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Choices are taken in any case, since addresses are mostly written in lower case. */
function choice<const Values extends readonly string[]>(values: Values, upper: boolean) {
  const rule = `must be one of ${values.join(', ')}`;
  return z
    .string('must be given once')
    .transform((text) => (upper ? text.toUpperCase() : text.toLowerCase()))
    .pipe(z.enum(values, rule));
}

const text = z.string('must be given once');
const texts = z.union([text.transform((one) => [one]), z.array(z.string())]).optional();

const querySchema = z.strictObject({
  urn: text.min(1, 'must be given'),
  direction: choice(LINEAGE_DIRECTIONS, true).default('DOWNSTREAM'),
  // The reader says how deep it goes.
  depth: text
    .regex(/^\d{1,15}$/, 'must be a whole number above 0, or be left out')
    .transform(Number)
    .optional(),
  level: choice(LINEAGE_LEVELS, true).default('DATASET'),
  view: choice(['CURRENT', 'AT', 'EVER'], true).optional(),
  at: text.optional(),
  asOfRun: text.optional(),
  kind: texts,
  namespace: texts,
  format: choice(EXPORT_FORMATS, false).default('csv'),
});

/** What the query of an export asks for. `kind` and `namespace` may be repeated. */
export type ImpactQuery = z.output<typeof querySchema>;

/** @throws InputError that names every parameter at fault */
export function readImpactQuery(query: unknown): ImpactQuery {
  const parsed = querySchema.safeParse(query);
  if (parsed.success) return parsed.data;
  const [first, ...others] = parsed.error.issues.flatMap(told);
  throw first === undefined ? parsed.error : new InputError([first, ...others]);
}

function told(issue: z.core.$ZodIssue): InputProblem[] {
  if (issue.code !== 'unrecognized_keys') return [problem(issue.path.join('.'), issue.message)];
  const known = Object.keys(querySchema.shape).join(', ');
  return issue.keys.map((key) => problem(key.slice(0, 100), `is no parameter: there are ${known}`));
}

function problem(field: string, message: string): InputProblem {
  return { code: 'BAD_USER_INPUT', field, message };
}

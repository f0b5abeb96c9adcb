import { z } from 'zod';
import { InputError, type InputProblem } from '#errors';

export const ARROW_STREAM = 'application/vnd.apache.arrow.stream';
export const BULK_CONTENT_TYPES = [ARROW_STREAM, 'application/x-ndjson'] as const;
export type BulkContentType = (typeof BULK_CONTENT_TYPES)[number];

const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((text) => text === 'true')
  .optional();
const name = z.string('must be given once').min(1, 'must not be empty').optional();

const querySchema = z.strictObject({
  kind: name,
  link: name,
  nulls: z.enum(['keep', 'remove'], 'must be keep or remove').optional(),
  atomic: flag,
  allowPlaceholders: flag,
  // Each transaction adds its number; the graph store takes 200 characters.
  idempotencyKey: z
    .string('must be given once')
    .regex(/^[^\p{Cc}\p{Cs}]{1,190}$/u, 'must have 1 to 190 printable characters')
    .optional(),
});

/** What the query of a bulk request says about its rows and how they are written. */
export type BulkQuery = z.output<typeof querySchema>;

/** @throws InputError that names every parameter at fault */
export function readBulkQuery(query: unknown, contentType: BulkContentType): BulkQuery {
  const parsed = querySchema.safeParse(query);
  const problems: InputProblem[] = parsed.success
    ? foreignTo(contentType, parsed.data)
    : parsed.error.issues.flatMap(told);
  const [first, ...others] = problems;
  if (first !== undefined) throw new InputError([first, ...others]);
  return parsed.data ?? {};
}

function told(issue: z.core.$ZodIssue): InputProblem[] {
  if (issue.code !== 'unrecognized_keys') return [problem(issue.path.join('.'), issue.message)];
  const known = Object.keys(querySchema.shape).join(', ');
  return issue.keys.map((key) => problem(key.slice(0, 100), `is no parameter: there are ${known}`));
}

function foreignTo(contentType: BulkContentType, query: BulkQuery): InputProblem[] {
  if (contentType === ARROW_STREAM) {
    if ((query.kind === undefined) === (query.link === undefined)) {
      return [problem('kind', 'or `link` must say what the rows are: exactly one of the two')];
    }
    return [];
  }
  const foreign = (['kind', 'link', 'nulls'] as const).filter((key) => query[key] !== undefined);
  return foreign.map((key) => problem(key, 'is for Arrow: each line of NDJSON says what it is'));
}

function problem(field: string, message: string): InputProblem {
  return { code: 'BAD_USER_INPUT', field, message };
}

import type { EntityResult, LinkResult, UserError, WriteOutcome } from '../schema-types.js';
import { EXIT_CODES, exitCodeOfCode } from './exit-codes.js';
import type { Colour, Output } from './output.js';

interface WriteAnswer {
  readonly entities: readonly EntityResult[];
  readonly links?: readonly LinkResult[];
  readonly commit: string | null;
  readonly userErrors: readonly UserError[];
}

const COLOUR_OF: Readonly<Record<WriteOutcome, Colour>> = {
  CREATED: 'green',
  UPDATED: 'yellow',
  DELETED: 'red',
  REVIVED: 'green',
  PURGED: 'red',
  UNCHANGED: 'dim',
  REFUSED: 'red',
};

/** Prints what became of each item. @returns the exit code: that of the first refusal, 0 when there is none */
export async function reportWrite(answer: WriteAnswer, output: Output): Promise<number> {
  await output.result(answer, () => {
    const entities = answer.entities.map(
      ({ outcome, urn, version }) => `${output.paint(COLOUR_OF[outcome], outcome)} ${urn ?? '(no urn)'} v${version}`,
    );
    const links = (answer.links ?? []).map(
      ({ outcome, kind, from, to, version }) =>
        `${output.paint(COLOUR_OF[outcome], outcome)} ${from} -${kind}-> ${to} v${version}`,
    );
    return [...entities, ...links, output.paint('dim', `commit ${answer.commit ?? '-'}`)].join('\n');
  });
  for (const { code, field, message } of answer.userErrors) {
    output.note(`nucleus: ${field === null ? '' : `${field}: `}${message} [${code}]`);
  }
  const [first] = answer.userErrors;
  return first === undefined ? EXIT_CODES.ok : exitCodeOfCode(first.code);
}

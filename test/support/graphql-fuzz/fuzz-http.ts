import fc from 'fast-check';
import { OperationTypeNode } from 'graphql';
import { decisions } from './chooser.js';
import type { FuzzedApp } from './fuzzed-app.js';
import { hostileOperation } from './hostile-operation.js';
import { flawOf } from './sound-answer.js';

const { QUERY, MUTATION, SUBSCRIPTION } = OperationTypeNode;
/** A subscription over HTTP is refused, but only after it was read. */
const TYPES = [QUERY, QUERY, QUERY, QUERY, MUTATION, MUTATION, SUBSCRIPTION] as const;
/** Enough for an operation of some hundred fields and values. */
export const DECISIONS = 400;

/**
 * Sends hostile queries and mutations over HTTP, until one is answered with a fault of the server.
 * @throws Error with the smallest such operation found, and the seed that leads to it
 */
export async function fuzzOverHttp(
  { app, schema, known }: FuzzedApp,
  options: { runs: number; seed: number },
): Promise<void> {
  const answersSoundly = fc.asyncProperty(decisions(DECISIONS), async (choose) => {
    const operation = hostileOperation(schema, choose.one(TYPES), choose, known);
    const body = JSON.stringify(operation);
    const { status, text } = await app.call('POST', '/graphql', { 'content-type': 'application/json' }, body);
    const flaw = status >= 500 ? `status ${status}: ${text.slice(0, 500)}` : flawOf(parsed(text));
    if (flaw !== undefined) throw new Error(`${flaw}\nfor ${body}`);
  });
  await fc.assert(answersSoundly, { numRuns: options.runs, seed: options.seed });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

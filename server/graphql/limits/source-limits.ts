import { Lexer, Source, TokenKind } from 'graphql';
import { LimitError } from './limit-error.js';
import type { OperationLimits } from './request-limits.js';

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/**
 * Reads the tokens of a document without parsing it, since the parser calls itself once for every open bracket and would run
 * out of stack before it ran out of tokens.
 * @throws LimitError
 * @throws GraphQLError for a syntax error
 */
export function checkSource(text: string, limits: Pick<OperationLimits, 'tokens' | 'nesting'>): void {
  const lexer = new Lexer(new Source(text));
  let tokens = 0;
  let open = 0;
  while (lexer.advance().kind !== TokenKind.EOF) {
    tokens += 1;
    if (tokens > limits.tokens) throw tooComplex('tokens', limits.tokens, tokens, 'send values as variables');
    if (OPENING.has(lexer.token.kind)) open += 1;
    if (CLOSING.has(lexer.token.kind)) open -= 1;
    if (open > limits.nesting) throw tooComplex('nesting', limits.nesting, open, 'open fewer brackets at once');
  }
}

/**
 * What reads variables calls itself for every level, as coercion and validation do.
 * @throws LimitError
 */
export function checkVariables(variables: unknown, limits: Pick<OperationLimits, 'nesting'>): void {
  let level: unknown[] = [variables];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limits.nesting) {
      throw tooComplex('nesting', limits.nesting, depth, 'send variables with fewer levels of lists and objects');
    }
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

function tooComplex(limit: string, value: number, actual: number, remedy: string): LimitError {
  return new LimitError('QUERY_TOO_COMPLEX', { limit, value, actual }, remedy);
}

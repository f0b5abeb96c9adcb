import { type ExecutionArgs, type ExecutionResult, execute } from 'graphql';
import { ExecutionTurns } from './execution-turns.js';

/** Queries and mutations of one socket that are carried out at the same time; more wait. */
const AT_ONCE = 8;

interface Expected {
  readonly turns: ExecutionTurns;
  /** Whether the client still waits for the answer. */
  readonly isWanted: () => boolean;
}

/** Carries out the queries and mutations of sockets, of each a few at once, and none that was taken back while it waited. */
export class SocketExecutions {
  readonly #turns = new WeakMap<object, ExecutionTurns>();
  readonly #expected = new WeakMap<ExecutionArgs, Expected>();

  /** Tells whose operation these arguments are; subscriptions never come to `execute`. */
  expect(args: ExecutionArgs, socket: object, isWanted: () => boolean): void {
    const turns = this.#turns.get(socket) ?? new ExecutionTurns(AT_ONCE);
    this.#turns.set(socket, turns);
    this.#expected.set(args, { turns, isWanted });
  }

  /** @throws TypeError for arguments that were not expected */
  async execute(args: ExecutionArgs): Promise<ExecutionResult> {
    const expected = this.#expected.get(args);
    if (expected === undefined) throw new TypeError('the arguments are of no operation that was admitted');
    return expected.turns.take(() => (expected.isWanted() ? execute(args) : {}));
  }
}

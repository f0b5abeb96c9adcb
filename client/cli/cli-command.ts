import type { Readable } from 'node:stream';
import type { InferredOptionTypes, Options } from 'yargs';
import { CONNECTION_OPTIONS, type Connection } from './connection.js';
import type { Output } from './output.js';

export const COMMON_OPTIONS = {
  ...CONNECTION_OPTIONS,
  json: { type: 'boolean', describe: 'print JSON, one value a line', default: false },
} as const satisfies Record<string, Options>;

export type CommonArguments = InferredOptionTypes<typeof COMMON_OPTIONS>;

/** What a running command works with. */
export interface Session extends Connection {
  readonly output: Output;
  readonly stdin: Readable;
  /** Aborted when the user interrupts, or when nobody reads the output any more. */
  readonly signal: AbortSignal;
}

export interface CliCommand {
  /** As yargs takes it, with positionals. */
  readonly command: string;
  readonly describe: string;
  readonly positionals: Readonly<Record<string, Options>>;
  readonly options: Readonly<Record<string, Options>>;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** @returns the exit code */
  run(args: never, session: Session): Promise<number>;
}

/** Ties the arguments of `run` to the options; yargs itself forgets their types. */
export function defineCommand<
  const Positionals extends Record<string, Options>,
  const Own extends Record<string, Options>,
>(definition: {
  command: string;
  describe: string;
  positionals: Positionals;
  options: Own;
  examples: readonly (readonly [command: string, what: string])[];
  run: (
    args: InferredOptionTypes<Positionals> & InferredOptionTypes<Own> & CommonArguments,
    session: Session,
  ) => Promise<number>;
}): CliCommand {
  return definition as CliCommand;
}

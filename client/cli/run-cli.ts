import type { Readable, Writable } from 'node:stream';
import yargs from 'yargs';
import { type CliCommand, COMMON_OPTIONS, type CommonArguments } from './cli-command.js';
import { completionCommand } from './commands/completion.js';
import { deleteCommand } from './commands/delete.js';
import { doctorCommand } from './commands/doctor.js';
import { endpointCommand } from './commands/endpoint.js';
import { getCommand } from './commands/get.js';
import { inboxCommand } from './commands/inbox.js';
import { lineageCommand } from './commands/lineage.js';
import { retentionCommand } from './commands/retention.js';
import { searchCommand } from './commands/search.js';
import { tailCommand } from './commands/tail.js';
import { upsertCommand } from './commands/upsert.js';
import { connect } from './connection.js';
import { EXIT_CODES, exitCodeOf, UsageError } from './exit-codes.js';
import { Output } from './output.js';

const COMMANDS: readonly CliCommand[] = [
  upsertCommand,
  getCommand,
  searchCommand,
  lineageCommand,
  tailCommand,
  deleteCommand,
  endpointCommand,
  inboxCommand,
  retentionCommand,
  doctorCommand,
  completionCommand,
];

/** What a process gives to the command line. */
export interface CliProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Its reason is an Interrupted or an OutputClosed. */
  readonly signal: AbortSignal;
}

/** A signal has asked the process to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** Nobody reads the output any more. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Runs one command line. @returns the exit code; never throws */
export async function runCli(argv: readonly string[], cli: CliProcess): Promise<number> {
  const asked = argv.includes('--json');
  let output = new Output({ ...cli, json: asked });
  let chosen: { readonly command: CliCommand; readonly args: CommonArguments } | undefined;
  let printed = '';
  try {
    const parser = parserOf(cli.stdout.columns, (command, args) => {
      chosen = { command, args };
    });
    let usage: Error | undefined;
    await parser.parseAsync([...argv], {}, (error, _, text) => {
      usage = error ?? undefined;
      printed = text;
    });
    if (usage !== undefined) throw new UsageError(`${usage.message}; \`nucleus --help\` tells more`);
    if (chosen === undefined) {
      cli.stdout.write(printed === '' ? '' : `${printed}\n`);
      return EXIT_CODES.ok;
    }
    const { command, args } = chosen;
    refuseRepeated(command, args);
    output = new Output({ ...cli, json: args.json });
    if (args.token !== undefined) output.note('nucleus: --token shows the token to others on this machine');
    const connection = connect(args, cli.env);
    await using _ = connection.client;
    return await command.run(args as never, { ...connection, output, stdin: cli.stdin, signal: cli.signal });
  } catch (error) {
    const reason: unknown = cli.signal.aborted ? cli.signal.reason : error;
    if (reason instanceof OutputClosed) return EXIT_CODES.ok;
    if (reason instanceof Interrupted) return reason.exitCode;
    output.failure(error);
    return exitCodeOf(error);
  } finally {
    // An open pipe would keep the process alive.
    cli.stdin.destroy();
  }
}

/** Columns of the help. */
const WIDEST = 110;

function parserOf(columns: number | undefined, choose: (command: CliCommand, args: CommonArguments) => void) {
  const parser = yargs()
    // A list option takes one value each time: otherwise it would swallow the positionals behind it.
    .parserConfiguration({ 'greedy-arrays': false, 'dot-notation': false })
    .scriptName('nucleus')
    .usage('$0 <command>\n\nThe command line of a Nucleus server.')
    .options(COMMON_OPTIONS)
    .group(Object.keys(COMMON_OPTIONS), 'Connection and output:')
    .demandCommand(1, 1, 'a command is missing', 'one command at a time')
    .strict()
    .help()
    .alias('help', 'h')
    .version(false)
    .wrap(Math.min(WIDEST, columns ?? WIDEST))
    .epilog(
      'Exit codes: 0 done, 1 fault, 2 bad input, 3 not found, 4 conflict, 5 denied, 6 unavailable or timed out, 7 cursor expired, 130 interrupted',
    )
    // Errors come by the callback of parseAsync.
    .exitProcess(false);
  for (const command of COMMANDS) {
    parser.command({
      command: command.command,
      describe: command.describe,
      builder: (own) => {
        for (const [name, option] of Object.entries(command.positionals)) {
          own.positional(name, option as object);
          // Without a fixed number of values yargs makes an empty text of `-`, the name of standard input.
          if (option.array !== true) own.nargs(name, 1);
        }
        own.options(command.options);
        for (const [line, what] of command.examples) own.example(line, what);
        return own;
      },
      handler: (args) => choose(command, args as unknown as CommonArguments),
    });
  }
  return parser;
}

/** yargs makes a list of any option that is given twice. */
function refuseRepeated(command: CliCommand, args: CommonArguments): void {
  for (const [name, option] of Object.entries({ ...COMMON_OPTIONS, ...command.options })) {
    const isList = 'array' in option && option.array === true;
    if (!isList && Array.isArray((args as Record<string, unknown>)[name])) {
      throw new UsageError(`--${name} is given more than once`);
    }
  }
}

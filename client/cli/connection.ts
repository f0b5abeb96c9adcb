import { readFileSync } from 'node:fs';
import { HttpTransport } from '../http-transport.js';
import { NucleusClient } from '../nucleus-client.js';
import { serverBase } from '../server-base.js';
import { UsageError } from './exit-codes.js';

export const CONNECTION_OPTIONS = {
  url: {
    type: 'string',
    describe: 'address of the server [NUCLEUS_URL, else http://127.0.0.1:4000]',
    requiresArg: true,
  },
  token: {
    type: 'string',
    describe: 'API token; others can see it in the list of processes: better set NUCLEUS_API_TOKEN',
    requiresArg: true,
  },
  'token-file': {
    type: 'string',
    describe: 'file that holds the API token [NUCLEUS_API_TOKEN_FILE]',
    requiresArg: true,
  },
  timeout: {
    type: 'number',
    describe: 'seconds for each request, retries included; uploads may take longer',
    default: 30,
    requiresArg: true,
  },
} as const;

export interface ConnectionArguments {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly 'token-file'?: string | undefined;
  readonly timeout: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_URL = 'http://127.0.0.1:4000';

export interface Connection {
  readonly client: NucleusClient;
  /** For the routes that are not GraphQL. */
  readonly http: HttpTransport;
  readonly url: string;
}

/** @throws UsageError that names what is wrong, never the token */
export function connect(given: ConnectionArguments, env: Environment): Connection {
  if (!(given.timeout > 0)) throw new UsageError('--timeout must be a number of seconds above 0');
  const url = given.url ?? (env.NUCLEUS_URL || DEFAULT_URL);
  const secret = token(given, env);
  try {
    return {
      url,
      client: new NucleusClient({ url, token: secret, deadlineMs: given.timeout * 1000 }),
      http: new HttpTransport({ base: serverBase(url), token: secret, fetch }),
    };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`--url or NUCLEUS_URL: ${error.message}`);
    throw error;
  }
}

/** What is given as a flag wins over the environment; an empty variable means "not set". */
function token(given: ConnectionArguments, env: Environment): string | undefined {
  if (given.token !== undefined && given['token-file'] !== undefined) {
    throw new UsageError('--token and --token-file are both given: keep one');
  }
  if (given.token !== undefined) return checked(given.token, '--token');
  if (given['token-file'] !== undefined) return tokenIn(given['token-file'], '--token-file');
  const [plain, file] = [env.NUCLEUS_API_TOKEN || undefined, env.NUCLEUS_API_TOKEN_FILE || undefined];
  if (plain !== undefined && file !== undefined) {
    throw new UsageError('NUCLEUS_API_TOKEN and NUCLEUS_API_TOKEN_FILE are both set: keep one');
  }
  if (plain !== undefined) return checked(plain, 'NUCLEUS_API_TOKEN');
  return file === undefined ? undefined : tokenIn(file, 'NUCLEUS_API_TOKEN_FILE');
}

function tokenIn(file: string, source: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`${source} names a file that cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (text === '') throw new UsageError(`${source} names a file that is empty`);
  return checked(text, source);
}

/** fetch would refuse the header with a message that shows it. */
function checked(text: string, source: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new UsageError(`${source} holds characters that no token has`);
  return text;
}

import { bounded } from '../call-options.js';
import { isJsonObject, NucleusError } from '../nucleus-error.js';
import { OPERATIONS } from '../operations.js';
import type { Session } from './cli-command.js';
import { exitCodeOf } from './exit-codes.js';

export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  /** Milliseconds that the check took; null when it was skipped. */
  readonly ms: number | null;
  /** Code of the error; null unless it has failed. */
  readonly code: string | null;
  /** What to do; null unless it has failed. */
  readonly remedy: string | null;
  readonly exitCode: number;
}

interface Check {
  readonly name: string;
  /** Names of the checks without which this one tells nothing. */
  readonly needs: readonly string[];
  readonly remedy: string;
  /** @returns what was found; throws a NucleusError when it is not as it should be */
  run(session: Session, signal: AbortSignal): Promise<string>;
}

const CHECKS: readonly Check[] = [
  {
    name: 'server',
    needs: [],
    remedy: 'start the server with `npm start`, or give its address by --url or NUCLEUS_URL',
    run: async ({ http, url }, signal) => {
      await http.json('livez', { signal });
      return `${url} answers`;
    },
  },
  {
    name: 'stores',
    needs: ['server'],
    remedy: 'start what does not answer, or look into its log',
    run: async ({ http }, signal) => {
      const { status, json } = await http.request('readyz', { signal });
      const checks = isJsonObject(json) && isJsonObject(json.checks) ? Object.entries(json.checks) : [];
      const told = checks.map(([store, state]) => `${store} ${state}`).join(', ');
      if (status !== 200) throw new NucleusError('STORE_UNAVAILABLE', told || `/readyz answers HTTP ${status}`);
      return told || 'ready';
    },
  },
  {
    name: 'token',
    needs: ['server'],
    remedy: 'set NUCLEUS_API_TOKEN or NUCLEUS_API_TOKEN_FILE to the token that the server was started with',
    run: async ({ client }, signal) => {
      await client.graphql('{ __typename }', {}, { signal });
      return 'accepted';
    },
  },
  {
    name: 'api',
    needs: ['token'],
    remedy: 'bring client and server to the same version',
    run: async ({ client }, signal) => {
      const { buildClientSchema, getIntrospectionQuery, parse, validate } = await import('graphql');
      const data = await client.graphql(getIntrospectionQuery({ descriptions: false }), {}, { signal });
      const schema = buildClientSchema(data as unknown as Parameters<typeof buildClientSchema>[0]);
      const lacking = Object.values(OPERATIONS).flatMap((document) => validate(schema, parse(document)));
      const [first] = lacking;
      if (first !== undefined) {
        throw new NucleusError('BAD_RESPONSE', `the server lacks what this client asks for: ${first.message}`);
      }
      return `all ${Object.keys(OPERATIONS).length} operations fit its schema`;
    },
  },
  {
    name: 'subscriptions',
    needs: ['token', 'api'],
    remedy: 'let proxies in between pass WebSockets on at /graphql',
    run: async ({ client }, signal) => {
      await using changes = client.graphChanges({ signal });
      await changes.subscribed();
      return 'a WebSocket opens and is subscribed';
    },
  },
  {
    name: 'change log',
    needs: ['token', 'api'],
    remedy: 'see the log of the server',
    run: async ({ client }, signal) => {
      const { head, oldest } = await client.changeLog({ signal });
      return `resumable from ${oldest} up to ${head}`;
    },
  },
];

/** A check that hangs must not hide those after it. */
const CHECK_TIMEOUT_MS = 10_000;

/** Runs all checks in turn; what needs a failed one is skipped. */
export async function runChecks(session: Session): Promise<Finding[]> {
  const findings: Finding[] = [];
  const passed = new Set<string>();
  for (const check of CHECKS) {
    const finding = await runCheck(check, passed, session);
    session.signal.throwIfAborted();
    if (finding.status === 'ok') passed.add(check.name);
    findings.push(finding);
  }
  return findings;
}

async function runCheck(check: Check, passed: ReadonlySet<string>, session: Session): Promise<Finding> {
  const { name } = check;
  const missing = check.needs.find((needed) => !passed.has(needed));
  if (missing !== undefined) {
    const detail = `needs "${missing}" to pass`;
    return { name, status: 'skipped', detail, ms: null, code: null, remedy: null, exitCode: 0 };
  }
  const began = performance.now();
  const tookMs = () => Math.round(performance.now() - began);
  try {
    const detail = await bounded({ signal: session.signal }, CHECK_TIMEOUT_MS, (signal) => check.run(session, signal));
    const ms = tookMs();
    return { name, status: 'ok', detail: `${detail} (${ms} ms)`, ms, code: null, remedy: null, exitCode: 0 };
  } catch (error) {
    const code = error instanceof NucleusError ? error.code : 'CLIENT_FAULT';
    const detail = error instanceof Error ? error.message : String(error);
    return { name, status: 'failed', detail, ms: tookMs(), code, remedy: check.remedy, exitCode: exitCodeOf(error) };
  }
}

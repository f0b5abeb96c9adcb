import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { INTERNAL_EVENTS_PATH } from '#ingestion/contracts';
import { type AppProcessName, freePort, RECORD_SUFFIX, type RunningApp, startApp } from '#stack';
import { testEnvironment } from './environment.js';

const ALL: readonly AppProcessName[] = ['api', 'control-worker', 'data-worker'];

/** Server and workers of Nucleus as real processes, on the servers of the test run, with folders of their own. */
export class TestApp implements AsyncDisposable {
  readonly folder: string;
  readonly apiUrl: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #running = new Map<AppProcessName, RunningApp>();

  private constructor(folder: string, port: number, extra: Readonly<Record<string, string>>) {
    const shared = testEnvironment();
    this.folder = folder;
    this.apiUrl = `http://127.0.0.1:${port}`;
    this.env = {
      ...shared,
      PORT: String(port),
      HOST: '127.0.0.1',
      KV_PATH: join(folder, 'kv'),
      LINEAGE_INBOX_PATH: join(folder, 'lineage-inbox'),
      STAGING_ROOT: join(folder, 'staging'),
      METADATA_ROOT: join(folder, 'metadata'),
      NUCLEUS_SECRET_KEY: randomBytes(32).toString('base64'),
      NUCLEUS_INTERNAL_TOKEN: randomBytes(24).toString('base64url'),
      NUCLEUS_EVENTS_URL: `http://127.0.0.1:${port}${INTERNAL_EVENTS_PATH}`,
      NEO4J_BROWSER_URL: 'http://127.0.0.1:7474/browser/',
      ...extra,
    };
  }

  /** Starts all three processes and waits until the server knows the templates. */
  static async start(extra: Readonly<Record<string, string>> = {}): Promise<TestApp> {
    const folder = await mkdtemp(join(tmpdir(), 'nucleus-app-'));
    const app = new TestApp(folder, await freePort(), extra);
    try {
      await Promise.all(ALL.map((name) => app.startProcess(name)));
      // The templates come from the Python worker by way of a workflow, shortly after both are ready.
      await vi.waitUntil(async () => (await app.#countTemplates()) > 0, { timeout: 30_000, interval: 200 });
      return app;
    } catch (error) {
      await app[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the server alone. */
  static async startServer(extra: Readonly<Record<string, string>> = {}): Promise<TestApp> {
    const app = new TestApp(await mkdtemp(join(tmpdir(), 'nucleus-app-')), await freePort(), extra);
    try {
      await app.startProcess('api');
      return app;
    } catch (error) {
      await app[Symbol.asyncDispose]();
      throw error;
    }
  }

  async startProcess(name: AppProcessName): Promise<RunningApp> {
    const process = await startApp(name, {
      env: this.env,
      logFile: join(this.folder, `${name}.log`),
      recordFile: join(testEnvironment().TEST_RECORDS_DIR, `${name}-${Date.now()}${RECORD_SUFFIX}`),
    });
    this.#running.set(name, process);
    return process;
  }

  /** Ends a process and its children with SIGKILL, as the kernel's out-of-memory killer would. */
  async kill(name: AppProcessName): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    process.kill(-running.pid, 'SIGKILL');
    await running.exited;
    this.#running.delete(name);
  }

  async #countTemplates(): Promise<number> {
    const query = encodeURIComponent('{ metadataEndpointTemplates { id } }');
    const response = await fetch(`${this.apiUrl}/graphql?query=${query}`, {
      headers: { 'apollo-require-preflight': '1' },
    });
    const { data } = (await response.json()) as { data: { metadataEndpointTemplates: unknown[] } };
    return data.metadataEndpointTemplates.length;
  }

  /** Everything that the processes have logged. */
  async logs(): Promise<string> {
    const texts = await Promise.all(ALL.map((name) => readFile(join(this.folder, `${name}.log`), 'utf8')));
    return texts.join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((process) => process.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

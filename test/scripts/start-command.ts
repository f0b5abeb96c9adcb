import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { freePort, type ProcessRecord, RECORD_SUFFIX, REPOSITORY_ROOT, reapRecorded } from '#stack';
import { identifyProcess } from '../../scripts/setup/process-identity.mjs';
import { writeRecord } from '../../scripts/stack/process-record.js';
import { testEnvironment } from '../support/environment.js';

/** Servers that the test run has for its other tests, and what would keep `npm start` from starting its own. */
const NOT_FOR_START =
  /^(NEO4J_|TEMPORAL_|TEST_|VITEST|NUCLEUS_|DEMO_|SPARK_JARS_DIR$|KV_PATH$|STAGING_ROOT$|METADATA_ROOT$|PORT$|NODE_ENV$)/;
const PORTS = ['api', 'neo4jHttp', 'neo4jBolt', 'temporal', 'temporalUi', 'postgres'] as const;
const START_DEADLINE_MS = 240_000;

/** One call of `npm start` or `npm stop`. */
export class Command {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(home: string, args: readonly string[]) {
    const inherited = Object.entries(process.env).filter(([name]) => !NOT_FOR_START.test(name));
    this.#child = spawn(process.execPath, [join(REPOSITORY_ROOT, 'scripts', 'bootstrap.mjs'), ...args], {
      env: { ...Object.fromEntries(inherited), NUCLEUS_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
      // The record below names a process group.
      detached: true,
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk;
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk;
    });
    // After "close" all of its output has been read.
    this.exited = once(this.#child, 'close').then(([code]) => code as number | null);
    this.#record();
  }

  /** Should the test run be killed, the next one ends this command, which then ends its own children. */
  #record(): void {
    const identity = identifyProcess(this.pid);
    if (!identity) return;
    const file = join(testEnvironment().TEST_RECORDS_DIR, `start-command-${this.pid}${RECORD_SUFFIX}`);
    writeRecord(file, { ...identity, name: 'start', stopSignal: 'SIGTERM', stopTimeoutMs: 120_000 });
    void this.exited.then(() => rm(file, { force: true }));
  }

  get pid(): number {
    return Number(this.#child.pid);
  }

  get stdout(): string {
    return this.#stdout;
  }

  get output(): string {
    return this.#stdout + this.#stderr;
  }

  /** Waits until a text is in the output. @throws Error with the output when the command ends first */
  async says(text: string): Promise<void> {
    await vi.waitUntil(
      () => {
        if (this.output.includes(text)) return true;
        if (this.#child.exitCode !== null) throw new Error(`ended before saying "${text}":\n${this.output}`);
        return false;
      },
      { timeout: START_DEADLINE_MS, interval: 100 },
    );
  }

  async signal(name: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(name);
    return await this.exited;
  }
}

/** A home for `npm start`, with ports of its own so that it runs beside any other. Disposing ends whatever runs there. */
export class StartHome implements AsyncDisposable {
  readonly path: string;
  readonly #commands: Command[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<StartHome> {
    const path = await mkdtemp(join(tmpdir(), 'nucleus-home-'));
    // Postgres runs as another user when we are root, and must be able to reach its data.
    await chmod(path, 0o711);
    const ports = await Promise.all(PORTS.map(async (name) => [name, await freePort()] as const));
    await mkdir(join(path, 'run'));
    await writeFile(join(path, 'run', 'ports.json'), JSON.stringify(Object.fromEntries(ports)));
    return new StartHome(path);
  }

  run(...args: readonly string[]): Command {
    const command = new Command(this.path, args);
    this.#commands.push(command);
    return command;
  }

  /** The processes that are recorded to run here. */
  async records(): Promise<ProcessRecord[]> {
    const entries = (await readdir(join(this.path, 'run'))).filter((entry) => entry.endsWith(RECORD_SUFFIX));
    const texts = await Promise.all(entries.map((entry) => readFile(join(this.path, 'run', entry), 'utf8')));
    return texts.map((text) => JSON.parse(text) as ProcessRecord);
  }

  /** What processes name this home in their arguments: servers, and the commands that follow from them, but not `npm start`. */
  processes(): string[] {
    const { stdout } = spawnSync('ps', ['-axww', '-o', 'stat=,pid=,args='], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line.includes(this.path) && !line.trim().startsWith('Z'));
  }

  async secrets(): Promise<string[]> {
    const folder = join(this.path, 'secrets');
    const names = await readdir(folder);
    return Promise.all(names.map(async (name) => (await readFile(join(folder, name), 'utf8')).trim()));
  }

  /** Everything that was logged or said here, by the name of the file or command. */
  async texts(): Promise<Map<string, string>> {
    const folder = join(this.path, 'logs');
    const names = await readdir(folder);
    const logs = await Promise.all(
      names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
    );
    return new Map([
      ...logs,
      ...this.#commands.map((command, index) => [`command ${index + 1}`, command.output] as const),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#commands.map((command) => command.signal('SIGKILL')));
    await reapRecorded(join(this.path, 'run'));
    await rm(this.path, { recursive: true, force: true });
  }
}

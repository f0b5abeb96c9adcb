import type { ChildProcess } from 'node:child_process';
import { endClients, forkClients, nextMessage } from './forked-clients.js';

/** The clients of `latency-clients.ts`. */
export class LatencyClientProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param options `stalled` is how many subscriptions one more socket has that does not read */
  static async start(
    url: string,
    query: string,
    options: { readonly clients: number; readonly stalled: number },
  ): Promise<LatencyClientProcess> {
    const program = new URL('./latency-clients.ts', import.meta.url);
    const child = await forkClients(program, [url, query, String(options.clients), String(options.stalled)]);
    return new LatencyClientProcess(child);
  }

  /** Wall-clock times at which each change came to each client, by cursor. @param publish makes so many changes */
  async arrivalsOf(changes: number, publish: () => Promise<unknown>): Promise<ReadonlyMap<string, readonly number[]>> {
    this.#child.send(changes);
    const [arrivals] = await Promise.all([nextMessage(this.#child), publish()]);
    return arrivals as Map<string, number[]>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return endClients(this.#child);
  }
}

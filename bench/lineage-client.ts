import { Agent, request } from 'node:http';

/** Clients of the route for single events, each of which sends its next event when the one before was answered. */
export class LineageClients implements Disposable {
  readonly #agents: readonly Agent[];
  readonly #url: URL;

  /** @param connections kept open, one for each client */
  constructor(url: string, connections: number) {
    this.#url = new URL('/api/v1/lineage', url);
    this.#agents = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  }

  /** Sends the bodies in their order, all clients at once. @throws Error when one is not taken */
  async send(bodies: readonly Buffer[]): Promise<void> {
    let next = 0;
    const clients = this.#agents.map(async (agent) => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) await this.#post(agent, body);
    });
    await Promise.all(clients);
  }

  /** Sends one event more, and waits until the graph has it, and with it all that were sent before. */
  async drain(body: Buffer): Promise<void> {
    const [agent] = this.#agents;
    // The server waits for as long as its clients would; events that come twice change nothing.
    while (!(await this.#post(agent, body, '?wait=committed')));
  }

  /** @returns whether the graph has it, where that was asked for */
  #post(agent: Agent | undefined, body: Buffer, search = ''): Promise<boolean> {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const options = { method: 'POST', headers, ...(agent && { agent }) };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(search, this.#url), options, (response) => {
        const { statusCode } = response;
        if (statusCode !== 201 && statusCode !== 504) reject(new Error(`answered ${statusCode}`));
        // A connection takes its next request only when the answer was read.
        response
          .resume()
          .once('end', () => resolve(statusCode === 201))
          .once('error', reject);
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents) agent.destroy();
  }
}

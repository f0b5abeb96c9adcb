import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';

interface UserError {
  readonly code: string;
  readonly field: string | null;
  readonly message: string;
}

export interface RunEvent {
  readonly kind: string;
  readonly cursor: string;
  readonly run: null | {
    readonly id: string;
    readonly endpointId: string;
    readonly unitId: string;
    readonly state: string;
    readonly stats: null | { readonly rowsRead: number; readonly rowsWritten: number; readonly slicesReused: number };
    readonly error: null | UserError;
  };
  readonly progress: null | {
    readonly runId: string;
    readonly unitId: string;
    readonly rowsRead: number;
    readonly rowsWritten: number;
  };
}

const ENDED = ['SUCCEEDED', 'FAILED', 'CANCELLED'];
const RUN_DEADLINE_MS = 180_000;

/** Somebody who uses Nucleus through its public API alone: GraphQL over HTTP, and graphql-ws. */
export class IngestionUser implements AsyncDisposable {
  readonly #apiUrl: string;
  readonly #socket: Client;
  /** Every event of every run since `watch`, in the order received. */
  readonly events: RunEvent[] = [];
  readonly #listeners = new Set<() => void>();
  #stopWatching: (() => void) | undefined;

  constructor(apiUrl: string) {
    this.#apiUrl = apiUrl;
    this.#socket = createClient({
      url: `${apiUrl.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      shouldRetry: () => true,
      retryAttempts: 50,
    });
  }

  async request<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(`${this.#apiUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const body = (await response.json()) as { data?: T; errors?: { message: string }[] };
    if (body.errors !== undefined || body.data === undefined) throw new Error(JSON.stringify(body.errors));
    return body.data;
  }

  /** Runs one mutation and returns its payload. */
  async mutate<Payload = Record<string, unknown>>(name: string, inputType: string, input: object, selection: string) {
    const data = await this.request<Record<string, Payload & { userErrors: UserError[] }>>(
      `mutation M($input: ${inputType}!) { ${name}(input: $input) { ${selection} userErrors { code field message } } }`,
      { input },
    );
    const payload = data[name];
    if (payload === undefined) throw new Error(`no payload for ${name}`);
    return payload;
  }

  register(id: string, templateId: string, config: object) {
    return this.mutate(
      'registerMetadataEndpoint',
      'RegisterMetadataEndpointInput',
      { id, templateId, config },
      'endpoint { id config secretsSet browserUrl }',
    );
  }

  define(input: object) {
    return this.mutate('defineIngestionUnit', 'DefineIngestionUnitInput', input, 'unit { id urn version }');
  }

  async start(endpointId: string, unitId: string): Promise<string> {
    const payload = await this.mutate(
      'startIngestion',
      'StartIngestionInput',
      { endpointId, unitId },
      'runId alreadyRunning',
    );
    if (typeof payload.runId !== 'string') throw new Error(JSON.stringify(payload));
    return payload.runId;
  }

  /** Follows every run from a cursor, or from now on; resolves once the server has confirmed it. */
  async watch(after?: string): Promise<void> {
    this.#stopWatching = this.#socket.subscribe<{ ingestionRunEvents: RunEvent }>(
      {
        query: `subscription($after: String) { ingestionRunEvents(after: $after) {
          kind cursor run { id endpointId unitId state stats error { code field message } }
          progress { runId unitId rowsRead rowsWritten }
        } }`,
        variables: { after },
      },
      {
        next: ({ data }) => {
          if (data) this.events.push(data.ingestionRunEvents);
          for (const wake of this.#listeners) wake();
        },
        error: () => undefined,
        complete: () => undefined,
      },
    );
    await this.until(() => this.events.find((event) => event.kind === 'SUBSCRIBED'));
  }

  /** The first value that `find` gives, looked for again after each event. */
  until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(() => reject(new Error('no such event in time'))), RUN_DEADLINE_MS);
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        settle();
      };
      const look = () => {
        const found = find();
        if (found !== undefined) finish(() => resolve(found));
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** The event with which a run has ended. */
  ended(runId: string): Promise<NonNullable<RunEvent['run']>> {
    return this.until(
      () => this.events.find(({ run }) => run?.id === runId && ENDED.includes(run.state))?.run ?? undefined,
    );
  }

  async run(endpointId: string, unitId: string): Promise<NonNullable<RunEvent['run']>> {
    return this.ended(await this.start(endpointId, unitId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopWatching?.();
    try {
      await this.#socket.dispose();
    } catch (error) {
      // A client that is between two connections tells the end of the one that it no longer makes.
      if ((error as { code?: unknown }).code !== 1000) throw error;
    }
  }
}

import type { GraphqlClient } from './graphql-client.js';
import { RUN, RUN_EVENTS, type Run, type RunData, type RunEventsData } from './operations.js';

interface RunProgress {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly rowsPerSecond: number;
  readonly phase: string;
}

export interface RunFollower {
  /** The latest that is known of a run. */
  view(runId: string): { readonly run: Run | undefined; readonly progress: RunProgress | undefined };
  /** Resolves when the run has ended, rejects when the subscription breaks for good or the signal aborts. */
  ended(runId: string): Promise<Run>;
  close(): void;
}

const ENDED = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

/**
 * Follows all runs of an endpoint through the subscription. Resolves once the server has confirmed it, so that a run started
 * afterwards can not be missed.
 */
export async function followRuns(client: GraphqlClient, endpointId: string, signal: AbortSignal): Promise<RunFollower> {
  const runs = new Map<string, Run>();
  const progress = new Map<string, RunProgress>();
  const waiting = new Map<string, (run: Run) => void>();
  let confirm: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  const confirmed = new Promise<void>((resolve) => {
    confirm = resolve;
  });
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  broken.catch(() => {}); // reported by whoever waits for a run
  const abort = () => fail(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });

  const accept = (run: Run) => {
    const known = runs.get(run.id);
    if (known && ENDED.has(known.state)) return; // an end is final, whatever arrives late
    runs.set(run.id, run);
    if (ENDED.has(run.state)) waiting.get(run.id)?.(run);
  };
  const askFor = async (runId: string) => {
    const { ingestionRuns } = await client.request<RunData>(RUN, { runId });
    for (const run of ingestionRuns.nodes) accept(run);
  };
  const onEvent = ({ ingestionRunEvents: event }: RunEventsData) => {
    if (event.kind === 'SUBSCRIBED') {
      confirm();
      // After a broken connection the stream starts anew: what ended in between is asked for.
      for (const runId of waiting.keys()) askFor(runId).catch(fail);
    }
    if (event.run) accept(event.run);
    if (event.progress) progress.set(event.progress.runId, event.progress);
  };
  const unsubscribe = client.subscribe<RunEventsData>(RUN_EVENTS, { endpointId }, onEvent, (error) =>
    fail(error ?? new Error('the server ended the subscription ingestionRunEvents')),
  );
  await Promise.race([confirmed, broken]);

  return {
    view: (runId) => ({ run: runs.get(runId), progress: progress.get(runId) }),
    ended(runId) {
      const known = runs.get(runId);
      if (known && ENDED.has(known.state)) return Promise.resolve(known);
      const end = new Promise<Run>((resolve) => waiting.set(runId, resolve));
      return Promise.race([end, broken]).finally(() => waiting.delete(runId));
    },
    close() {
      signal.removeEventListener('abort', abort);
      unsubscribe();
    },
  };
}

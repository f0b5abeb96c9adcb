import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningServer } from '#stack';

export interface Service<Running extends RunningServer = RunningServer> {
  readonly name: string;
  /** Starts it and waits until it is ready; called again, with the same result in mind, after it has died. */
  start(signal: AbortSignal): Promise<Running>;
}

export interface SupervisorEvents {
  onDied(name: string, logFile: string, delayMs: number): void;
  onRestarted(name: string): void;
}

export interface RestartPolicy {
  readonly maxRestarts: number;
  /** Wait before the first restart; each further one waits twice as long as the one before. */
  readonly firstDelayMs: number;
  /** A service that lived this long has recovered: its next death counts as the first. */
  readonly stableMs: number;
}

/** For servers: after 1, 2, 4, 8 and 16 seconds. */
export const RESTART_POLICY: RestartPolicy = { maxRestarts: 5, firstDelayMs: 1_000, stableMs: 60_000 };

/**
 * Keeps services running. One that dies is started again as the policy says; after the last restart `failed` rejects.
 * Services stop in the order that `stop` is given, whatever the order they were started in.
 */
export class Supervisor {
  /** Rejects when a service can not be kept running; never resolves. */
  readonly failed: Promise<never>;
  readonly #fail: (error: Error) => void;
  readonly #events: SupervisorEvents;
  readonly #policy: RestartPolicy;
  readonly #running = new Map<string, RunningServer>();
  readonly #abort = new AbortController();
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(events: SupervisorEvents, policy: RestartPolicy) {
    this.#events = events;
    this.#policy = policy;
    let fail: (error: Error) => void = () => {};
    this.failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.#fail = fail;
    // Whoever waits for it sees the rejection; before that it must not end the process.
    this.failed.catch(() => {});
  }

  /** Starts a service for the first time; a failure here is not tried again. */
  async start<Running extends RunningServer>(service: Service<Running>): Promise<Running> {
    const running = await this.#track(service.start(this.#abort.signal));
    if (this.#abort.signal.aborted) {
      await running.stop();
      this.#abort.signal.throwIfAborted();
    }
    this.#watch(service, running, 0);
    return running;
  }

  /**
   * Ends starts that are under way, then every service: those named, in that order, then any others.
   * @param onStopping called before each
   */
  async stop(order: readonly string[], onStopping: (name: string) => void): Promise<void> {
    this.#abort.abort(new Error('the stack is being stopped'));
    await Promise.allSettled([...this.#inFlight]);
    const others = [...this.#running.keys()].filter((name) => !order.includes(name));
    for (const name of [...order, ...others]) {
      const running = this.#running.get(name);
      if (!running) continue;
      onStopping(name);
      await running.stop();
      this.#running.delete(name);
    }
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#inFlight.add(work);
    try {
      return await work;
    } finally {
      this.#inFlight.delete(work);
    }
  }

  #watch(service: Service, running: RunningServer, restarts: number): void {
    const since = Date.now();
    this.#running.set(service.name, running);
    void running.exited.then(() => {
      if (this.#abort.signal.aborted) return;
      this.#running.delete(service.name);
      const recovered = Date.now() - since > this.#policy.stableMs;
      void this.#track(this.#replace(service, running, recovered ? 0 : restarts)).catch(this.#fail);
    });
  }

  async #replace(service: Service, dead: RunningServer, restarts: number): Promise<void> {
    // Its children may have outlived it, as a JVM does its Python.
    await dead.stop();
    if (!this.#abort.signal.aborted) await this.#restart(service, dead.logFile, restarts);
  }

  async #restart(service: Service, logFile: string, restarts: number): Promise<void> {
    const { maxRestarts, firstDelayMs } = this.#policy;
    for (let attempt = restarts; attempt < maxRestarts; attempt++) {
      const delayMs = firstDelayMs * 2 ** attempt;
      this.#events.onDied(service.name, logFile, delayMs);
      try {
        await sleep(delayMs, undefined, { signal: this.#abort.signal });
        const running = await service.start(this.#abort.signal);
        this.#watch(service, running, attempt + 1);
        this.#events.onRestarted(service.name);
        return;
      } catch {
        // What a failed start had to say is in its log, which the next message names.
        if (this.#abort.signal.aborted) return;
      }
    }
    this.#fail(new Error(`${service.name} died ${maxRestarts + 1} times; its log is ${logFile}`));
  }
}

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

const MAX_RESTARTS = 5;
const FIRST_DELAY_MS = 1_000;
/** A service that lived this long has recovered: its next death counts as the first. */
const STABLE_MS = 60_000;

/**
 * Keeps services running. One that dies is started again, after 1, 2, 4, 8 and 16 seconds; then `failed` rejects.
 * Services stop in the order that `stop` is given, whatever the order they were started in.
 */
export class Supervisor {
  /** Rejects when a service can not be kept running; never resolves. */
  readonly failed: Promise<never>;
  readonly #fail: (error: Error) => void;
  readonly #events: SupervisorEvents;
  readonly #running = new Map<string, RunningServer>();
  readonly #abort = new AbortController();
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(events: SupervisorEvents) {
    this.#events = events;
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
    void running.exited.then(async () => {
      if (this.#abort.signal.aborted) return;
      this.#running.delete(service.name);
      // Its children may have outlived it, as a JVM does its Python.
      await running.stop();
      const lived = Date.now() - since;
      await this.#track(this.#restart(service, running.logFile, lived > STABLE_MS ? 0 : restarts));
    });
  }

  async #restart(service: Service, logFile: string, restarts: number): Promise<void> {
    for (let attempt = restarts; attempt < MAX_RESTARTS; attempt++) {
      const delayMs = FIRST_DELAY_MS * 2 ** attempt;
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
    this.#fail(new Error(`${service.name} died ${MAX_RESTARTS + 1} times; its log is ${logFile}`));
  }
}

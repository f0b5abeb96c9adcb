/**
 * A generator that can be ended while it waits. `return()` of an async generator is queued behind the pending `next()`, so
 * a subscriber that leaves would keep its resources until the next event; here it aborts the wait first.
 */
export function abortOnReturn<T>(
  start: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  const controller = new AbortController();
  const inner = start(controller.signal);
  const outer: AsyncGenerator<T, void, void> = {
    next: () => inner.next(),
    return: (value) => {
      controller.abort();
      return inner.return(value);
    },
    throw: (error) => {
      controller.abort();
      return inner.throw(error);
    },
    [Symbol.asyncIterator]: () => outer,
    [Symbol.asyncDispose]: async () => {
      await outer.return();
    },
  };
  return outer;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineageEventWriter } from '../../ingestion/lineage-projection/index.js';
import {
  edgeProperties,
  type LineageEvent,
  mergeStates,
  NO_STATE,
  type Side,
  validityOf,
  wordOn,
} from '../../ingestion/openlineage/index.js';
import { MemoryLineage, type ShownGraph } from '../support/memory-lineage.js';
import { meetingEvents, minute, stateOfEvent, taken } from '../support/openlineage-events.js';

/** What the graph shows after these batches. */
async function shownAfter(batches: readonly (readonly LineageEvent[])[]): Promise<ShownGraph> {
  const store = new MemoryLineage();
  const writer = new LineageEventWriter(store);
  let after = 0;
  for (const batch of batches) {
    const upTo = after + batch.length;
    await writer.write(batch, { inboxId: 'test', after, upTo, fence: 1 });
    after = upTo;
  }
  expect(store.loose()).toEqual([]);
  return store.shown();
}

const events = fc.array(meetingEvents, { minLength: 1, maxLength: 9 });

/** The same events in another order, some of them twice, cut into batches. */
const delivered = events.chain((given) =>
  fc.record({
    given: fc.constant(given),
    order: fc.shuffledSubarray([...given.keys(), ...given.keys()], { minLength: given.length }),
    cuts: fc.array(fc.boolean(), { minLength: 2 * given.length, maxLength: 2 * given.length }),
  }),
);

/** So many runs of one job that those near an event are not all of them. */
const manyRuns = fc.array(
  fc.record({
    eventType: fc.constantFrom('START', 'RUNNING', 'COMPLETE', 'COMPLETE', 'FAIL'),
    eventTime: fc.oneof(fc.nat({ max: 90 }), fc.nat({ max: 5 })).map(minute),
    run: fc.nat({ max: 30 }).map((id) => ({ runId: `r${id}` })),
    job: fc.constant({ namespace: 'j', name: 'one' }),
    inputs: fc.subarray(['a', 'b', 'c']).map((names) => names.map((name) => ({ namespace: 'data', name }))),
    outputs: fc.subarray(['b', 'd']).map((names) => names.map((name) => ({ namespace: 'data', name }))),
  }),
  { minLength: 20, maxLength: 60 },
);

describe('what the graph shows of events', () => {
  it('does not depend on their order, on their batches, nor on how often they come', async () => {
    await fc.assert(
      fc.asyncProperty(delivered, async ({ given, order, cuts }) => {
        const told = given.map(taken);
        const missing = told.filter((_, index) => !order.includes(index));
        const sent = [...order.flatMap((index) => told[index] ?? []), ...missing];
        const batches: LineageEvent[][] = [[]];
        for (const [index, event] of sent.entries()) {
          if (cuts[index]) batches.push([]);
          batches.at(-1)?.push(event);
        }
        expect(await shownAfter(batches)).toEqual(await shownAfter([told]));
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on their order when there are many runs', async () => {
    await fc.assert(
      fc.asyncProperty(manyRuns, async (given) => {
        const told = given.map(taken);
        expect(await shownAfter(told.map((event) => [event]))).toEqual(await shownAfter([told]));
      }),
      { numRuns: 150 },
    );
  });

  it('is the same for any order of many writes that end at one time', async () => {
    const data = [{ namespace: 'data', name: 'b' }];
    const job = { namespace: 'j', name: 'one' };
    const writes = Array.from({ length: 40 }, (_, index) => index + 10).map((id) =>
      taken({ eventType: 'COMPLETE', eventTime: minute(21), run: { runId: `r${id}` }, job, inputs: [], outputs: data }),
    );
    const read = taken({
      eventType: 'START',
      eventTime: minute(22),
      run: { runId: 'reader' },
      job: { namespace: 'j', name: 'two' },
      inputs: data,
      outputs: [],
    });
    for (const sent of [
      [...writes, read],
      [...writes.toReversed(), read],
      [read, ...writes],
    ]) {
      const { edges } = await shownAfter(sent.map((event) => [event]));
      const reads = Object.keys(edges).filter((edge) => edge.startsWith('READ '));
      expect(reads).toEqual(['READ nucleus:run:reader nucleus:dataset-version:data:b:run-r49']);
    }
  });

  it('has the validity that all words of a job together give', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (given) => {
        const { edges } = await shownAfter(given.map((event) => [taken(event)]));
        const state = given.map(stateOfEvent).reduce(mergeStates, NO_STATE);
        const assertions = Object.values(state.assertions);
        const expected = assertions.flatMap(({ owner, inputs, outputs }) => [
          ...Object.keys(inputs).map((dataset) => ({ owner, side: 'inputs' as const, dataset })),
          ...Object.keys(outputs).map((dataset) => ({ owner, side: 'outputs' as const, dataset })),
        ]);
        for (const { owner, side, dataset } of expected) {
          const words = assertions.flatMap((assertion) =>
            assertion.owner === owner ? (wordOn(assertion, side satisfies Side, dataset) ?? []) : [],
          );
          const key = side === 'inputs' ? `FEEDS ${dataset} ${owner}` : `PRODUCES ${owner} ${dataset}`;
          expect(edges[key]).toEqual(edgeProperties(validityOf(words)));
        }
      }),
      { numRuns: 300 },
    );
  });
});

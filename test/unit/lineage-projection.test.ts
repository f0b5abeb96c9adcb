import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runUrn } from '#graph-schema';
import { LineageEventWriter } from '../../ingestion/lineage-projection/index.js';
import {
  assertionsOf,
  type EdgeEdit,
  edgeProperties,
  type InboxEntry,
  type LineageState,
  mergeStates,
  NO_STATE,
  type RunEdit,
  validityOf,
  wordOn,
} from '../../ingestion/openlineage/index.js';
import { atMinute, editsOfManyRuns, meetingEdits } from '../support/lineage-edits.js';
import { MemoryLineage, type ShownGraph } from '../support/memory-lineage.js';
import { meetingEvents, minute, taken } from '../support/openlineage-events.js';

/** What the graph shows after these batches. */
async function shownAfter(batches: readonly (readonly InboxEntry[])[]): Promise<ShownGraph> {
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

const entries = fc.oneof({ weight: 3, arbitrary: meetingEvents.map(taken) }, { weight: 1, arbitrary: meetingEdits });

const events = fc.array<InboxEntry>(entries, { minLength: 1, maxLength: 9 });

/** The same events and edits in another order, some of them twice, cut into batches. */
const delivered = events.chain((given) =>
  fc.record({
    given: fc.constant(given),
    order: fc.shuffledSubarray([...given.keys(), ...given.keys()], { minLength: given.length }),
    cuts: fc.array(fc.boolean(), { minLength: 2 * given.length, maxLength: 2 * given.length }),
  }),
);

/** So many runs of one job that those near an event are not all of them. */
const eventsOfManyRuns = fc
  .record({
    eventType: fc.constantFrom('START', 'RUNNING', 'COMPLETE', 'COMPLETE', 'FAIL'),
    eventTime: fc.oneof(fc.nat({ max: 90 }), fc.nat({ max: 5 })).map(minute),
    run: fc.nat({ max: 30 }).map((id) => ({ runId: `r${id}` })),
    job: fc.constant({ namespace: 'j', name: 'one' }),
    inputs: fc.subarray(['a', 'b', 'c']).map((names) => names.map((name) => ({ namespace: 'data', name }))),
    outputs: fc.subarray(['b', 'd']).map((names) => names.map((name) => ({ namespace: 'data', name }))),
  })
  .map(taken);

const manyRuns = fc.array<InboxEntry>(
  fc.oneof({ weight: 4, arbitrary: eventsOfManyRuns }, { weight: 1, arbitrary: editsOfManyRuns }),
  { minLength: 20, maxLength: 60 },
);

describe('what the graph shows of events', () => {
  it('does not depend on their order, on their batches, nor on how often they come', async () => {
    await fc.assert(
      fc.asyncProperty(delivered, async ({ given, order, cuts }) => {
        const missing = given.filter((_, index) => !order.includes(index));
        const sent = [...order.flatMap((index) => given[index] ?? []), ...missing];
        const batches: InboxEntry[][] = [[]];
        for (const [index, event] of sent.entries()) {
          if (cuts[index]) batches.push([]);
          batches.at(-1)?.push(event);
        }
        expect(await shownAfter(batches)).toEqual(await shownAfter([given]));
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on their order when there are many runs', async () => {
    await fc.assert(
      fc.asyncProperty(manyRuns, async (given) => {
        expect(await shownAfter(given.map((event) => [event]))).toEqual(await shownAfter([given]));
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

  it('has the validity that all words of a job together give, and that of those who vouch for an edge', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (given) => {
        const { edges } = await shownAfter(given.map((event) => [event]));
        const state = given.map((entry) => assertionsOf(entry).state).reduce(mergeStates, NO_STATE);
        const assertions = Object.values(state.assertions).filter(({ by }) => !isGone(by, given));
        for (const { owner, side, edge, key } of edgesOfJobs(state)) {
          const words = assertions.flatMap((assertion) =>
            assertion.owner === owner ? (wordOn(assertion, side, edge) ?? []) : [],
          );
          const intervals = validityOf(words);
          const edits = given.flatMap((entry) =>
            entry.is === 'edge-edit' && entry.edges.some(({ kind, from, to }) => `${kind} ${from} ${to}` === key)
              ? entry
              : [],
          );
          const shown = edges[key] as { validFrom: readonly string[]; validTo: readonly string[] } | undefined;
          if (edits.length === 0) expect(shown).toEqual(intervals.length === 0 ? undefined : edgeProperties(intervals));
          for (const now of Array.from({ length: 14 }, (_, n) => atMinute(n))) {
            const begun = (times: readonly string[] = []) => times.filter((time) => time <= now).length;
            const told = intervals.some(({ first, closed }) => first.at <= now && (closed === null || closed.at > now));
            expect(begun(shown?.validFrom) > begun(shown?.validTo)).toBe(told || isVouchedFor(edits, now));
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The latest edit of a run counts; at one time the roll-back. */
function isGone(source: string, entries: readonly InboxEntry[]): boolean {
  const edits = entries.filter((entry) => entry.is === 'run-edit' && runUrn(entry.run) === source) as RunEdit[];
  const latest = edits
    .map(({ at }) => at)
    .sort()
    .at(-1);
  return edits.some(({ at, does }) => at === latest && does === 'roll-back');
}

/** Of a request that came twice the first counts, then whatever was done last; at one time the withdrawal. */
function isVouchedFor(edits: readonly EdgeEdit[], now: string): boolean {
  const counted = edits.filter(({ id, does, at }) => !edits.some((e) => e.id === id && e.does === does && e.at < at));
  const past = counted.filter(({ at }) => at <= now);
  const latest = past
    .map(({ at }) => at)
    .sort()
    .at(-1);
  const last = past.filter(({ at }) => at === latest);
  return last.length > 0 && last.every(({ does }) => does === 'assert');
}

function edgesOfJobs(state: LineageState) {
  const told = Object.values(state.assertions).flatMap(({ owner, inputs, outputs }) => [
    ...Object.keys(inputs).map((edge) => ({ owner, side: 'inputs' as const, edge })),
    ...Object.keys(outputs).map((edge) => ({ owner, side: 'outputs' as const, edge })),
  ]);
  const edited = Object.values(state.edits).flatMap(({ owner, side, edge }) =>
    typeof side === 'string' ? [{ owner, side, edge }] : [],
  );
  return [...told, ...edited].map(({ owner, side, edge }) => {
    const key = side === 'inputs' ? `FEEDS ${edge} ${owner}` : `PRODUCES ${owner} ${edge}`;
    return { owner, side, edge, key };
  });
}

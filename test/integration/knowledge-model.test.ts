import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EntityOutcome, EntityUpsert, GraphBatch, KnowledgeReceipt, KnowledgeWrite } from '#graph-store';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { edgeName, GraphModel } from '../support/graph-model.js';
import { uniquePrefix } from '../support/unique.js';

const prefix = uniquePrefix('knowledge-model');

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

const versions = fc.option(fc.constantFrom(0, 1, 2), { nil: undefined, freq: 2 });
const things = fc.constantFrom('a', 'b', 't', 'u');
const datasets = fc.constantFrom('a', 'b');
const tags = fc.constantFrom('t', 'u');

/** What makes an item unfit, whatever the graph holds; mostly nothing. */
const fault = <Fault extends object>(faults: readonly Fault[]) =>
  fc
    .option(fc.constantFrom(...faults), { nil: undefined, freq: 1 })
    .chain((one) => fc.constantFrom(undefined, undefined, one));

const entityFaults = fault([
  { properties: { nope: 1 } },
  { properties: { externalUrl: 5 } },
  { properties: { externalUrl: Number.NaN } },
  { properties: { 'a`b': 'x' } },
  { properties: { version: 3 } },
  { properties: { description: 'x'.repeat(70_000) } },
  { ifVersion: -1 },
  { ifVersion: 2 ** 60 },
  { name: '' },
  { kind: 'Owner' },
  { kind: 'Nope' },
  { key: {} },
]);
const linkFaults = fault([
  { kind: 'LIKES' },
  { kind: 'FEEDS' },
  { kind: 'OWNED_BY' },
  { to: 'tag' },
  { from: 'nucleus:tag:%' },
  { ifVersion: 0.5 },
]);
const referenceFaults = fault([
  { ifVersion: -1 },
  { urn: 'nucleus:run:1' },
  { urn: 'x' },
  { urn: 'nucleus:nothing:x' },
]);

const patch = fc.record(
  { description: fc.constantFrom('x', 'y', null), externalUrl: fc.constantFrom('x', null) },
  { requiredKeys: [] },
);
const entity = fc.record({
  name: things,
  caption: fc.boolean(),
  properties: patch,
  ifVersion: versions,
  fault: entityFaults,
});
const link = fc.record({ from: datasets, to: tags, ifVersion: versions, fault: linkFaults });
const reference = fc.record({ name: things, ifVersion: versions, fault: referenceFaults });

const randomRequests = fc.array(
  fc.record({
    entities: fc.array(entity, { maxLength: 4 }),
    links: fc.array(link, { maxLength: 3 }),
    deletions: fc.array(reference, { maxLength: 1 }),
    linkDeletions: fc.array(link, { maxLength: 1 }),
    purges: fc.oneof(
      { weight: 4, arbitrary: fc.array(reference, { maxLength: 0 }) },
      { weight: 1, arbitrary: fc.array(reference, { maxLength: 1 }) },
    ),
    atomic: fc.boolean(),
    allowPlaceholders: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

type RandomRequest = typeof randomRequests extends fc.Arbitrary<(infer T)[]> ? T : never;
type List = keyof KnowledgeWrite;

const LISTS = {
  entities: 'entities',
  links: 'edges',
  deletions: 'deletions',
  linkDeletions: 'edgeDeletions',
  purges: 'purges',
} as const;
const LIST_NAMES = Object.keys(LISTS) as List[];

/** The request that is sent, and beside each of its items whether it breaks a rule. */
function requestOf(random: RandomRequest, urnOf: (name: string) => string) {
  const given = (ifVersion: number | undefined) => (ifVersion === undefined ? {} : { ifVersion });
  const items = {
    entities: random.entities.map(({ name, caption, properties, ifVersion }) => ({
      urn: urnOf(name),
      properties,
      ...(caption && { name: `the ${name}` }),
      ...given(ifVersion),
    })),
    links: random.links.map(({ from, to, ifVersion }) => ({
      kind: 'TAGGED',
      from: urnOf(from),
      to: urnOf(to),
      ...given(ifVersion),
    })),
    deletions: random.deletions.map(({ name, ifVersion }) => ({ urn: urnOf(name), ...given(ifVersion) })),
    linkDeletions: random.linkDeletions.map(({ from, to, ifVersion }) => ({
      kind: 'TAGGED',
      from: urnOf(from),
      to: urnOf(to),
      ...given(ifVersion),
    })),
    purges: random.purges.map(({ name, ifVersion }) => ({ urn: urnOf(name), ...given(ifVersion) })),
  };
  const request = Object.fromEntries(
    LIST_NAMES.map((list) => [list, items[list].map((item, index) => ({ ...item, ...random[list][index]?.fault }))]),
  );
  return { items, request: request as KnowledgeWrite };
}

const keyOf = (item: object): string => ('urn' in item ? String(item.urn) : edgeName(item as never));

/** What the knowledge base promises: items that break a rule, or come twice, never reach the store. */
function expected(random: RandomRequest, items: ReturnType<typeof requestOf>['items'], model: GraphModel) {
  const seen = new Set<string>();
  const batch: Record<string, object[]> = {};
  const places = LIST_NAMES.flatMap((list) =>
    items[list].map((item, index) => ({
      list,
      index,
      item,
      key: keyOf(item),
      sound: random[list][index]?.fault === undefined,
    })),
  );
  for (const place of places) {
    if (place.sound && seen.has(place.key)) place.sound = false;
    if (place.sound) seen.add(place.key);
  }
  const rulesBroken = places.some(({ sound }) => !sound);
  const sound = places.filter((place) => place.sound);
  for (const { list, item } of sound) {
    const kind = list === 'entities' ? { kind: 'Dataset' } : {};
    const rows = batch[LISTS[list]] ?? [];
    rows.push({ ...kind, ...item } as EntityUpsert);
    batch[LISTS[list]] = rows;
  }
  const answer =
    sound.length === 0 || (random.atomic && rulesBroken)
      ? undefined
      : model.write(batch as GraphBatch, {
          atomic: random.atomic,
          missingEnds: random.allowPlaceholders ? 'create' : 'refuse',
        });
  const versionOf = (key: string) => (model.nodes.get(key) ?? model.edges.get(key))?.version ?? 0;
  const next = new Map<string, number>();
  return places.map(({ list, key, sound: isSound, item, index }) => {
    // What a faulty item names cannot always be told.
    if (!isSound)
      return {
        outcome: 'BAD_USER_INPUT',
        version: namesChanged(random[list][index]?.fault) ? undefined : versionOf(keyOf(item)),
      };
    const place = next.get(list) ?? 0;
    next.set(list, place + 1);
    const isIt = (result: { list: string; index: number }) => result.list === LISTS[list] && result.index === place;
    if (answer === undefined) return { outcome: 'refused', version: versionOf(key) };
    if (answer.refused !== undefined)
      return { outcome: answer.refused.find(isIt)?.outcome ?? 'refused', version: versionOf(key) };
    const { outcome, version } = answer.results.find(isIt) ?? { outcome: 'missing', version: -1 };
    return { outcome, version: outcome === 'BAD_USER_INPUT' ? undefined : version };
  });
}

const namesChanged = (fault: object | undefined): boolean =>
  ['urn', 'from', 'to', 'kind'].some((name) => Object.hasOwn(fault ?? {}, name));

type Outcome = Pick<EntityOutcome, 'outcome' | 'version' | 'refusal'>;

function told(receipt: KnowledgeReceipt, wanted: readonly { version: number | undefined }[]) {
  return LIST_NAMES.flatMap((list): readonly Outcome[] => receipt[list]).map(
    ({ outcome, version, refusal }, place) => ({
      outcome: refusal?.code ?? outcome,
      version: wanted[place]?.version === undefined ? undefined : version,
    }),
  );
}

describe('the knowledge base', () => {
  it('does what its model does, for any requests one after the other', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(randomRequests, async (requests) => {
        round += 1;
        const space = `${prefix}-${round}`;
        const urnOf = (name: string) =>
          name < 'm' ? `nucleus:dataset:${space}:${name}` : `nucleus:tag:${space}-${name}`;
        const model = new GraphModel();
        for (const random of requests) {
          const { items, request } = requestOf(random, urnOf);
          const { atomic, allowPlaceholders } = random;
          const wanted = expected(random, items, model);
          const receipt = await graph.knowledge.writer.write(request, { actor: prefix }, { atomic, allowPlaceholders });
          expect(told(receipt, wanted)).toEqual(wanted);
        }
        const urns = ['a', 'b', 't', 'u'].map(urnOf);
        const found = await graph.knowledge.reader.nodes(urns, { includeDeleted: true });
        expect(
          found.map((one) => {
            if (one === null) return undefined;
            const { namespace: _, ...properties } = one.properties;
            return { version: one.version, deleted: one.deletedAt !== null, name: one.name, properties };
          }),
        ).toEqual(
          urns.map((urn) => {
            const thing = model.nodes.get(urn);
            if (thing === undefined) return undefined;
            const { name, ...properties } = thing.values;
            return { version: thing.version, deleted: thing.deleted, name, properties };
          }),
        );
      }),
      { numRuns: 40 },
    );
  });
});

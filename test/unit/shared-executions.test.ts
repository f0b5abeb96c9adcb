import { makeExecutableSchema } from '@graphql-tools/schema';
import { GraphQLError, parse } from 'graphql';
import { beforeEach, describe, expect, it } from 'vitest';
import { abortOnReturn } from '../../server/events/abort-on-return.js';
import { SharedExecutions } from '../../server/graphql/shared-executions.js';

const EVENTS = [{ number: 1 }, { number: 2 }];

let resolved: number[];
/** Events that `paced` was asked for. */
let given: number;
let failure: Error | undefined;
const schema = makeExecutableSchema({
  typeDefs: `
    type Query { nothing: Int }
    type Subscription { ticks(after: String, scale: Int = 1): Tick! paced(after: String): Tick! others: Tick! }
    type Tick { number: Int! echo(of: String): String broken: Int }
  `,
  resolvers: {
    Subscription: {
      ticks: {
        subscribe: () => eventsOf(),
        resolve: (event: object, { scale }: { scale: number }) => ({ ...event, scale }),
      },
      paced: { subscribe: () => counted(), resolve: (event: object) => event },
      others: { subscribe: () => endless(), resolve: (event: object) => event },
    },
    Tick: {
      number: ({ number, scale = 1 }: { number: number; scale?: number }) => {
        resolved.push(number);
        return number * scale;
      },
      broken: () => {
        throw new GraphQLError('out of order');
      },
      echo: (_: unknown, { of }: { of?: string }) => of,
    },
  },
});

function eventsOf() {
  if (failure !== undefined) throw failure;
  return abortOnReturn(async function* () {
    yield* EVENTS;
  });
}

async function* counted() {
  for await (const event of endless()) {
    given += 1;
    yield event;
  }
}

async function* endless() {
  for (let number = 1; ; number += 1) yield { number };
}

const context = {};
let executions: SharedExecutions;
beforeEach(() => {
  resolved = [];
  given = 0;
  failure = undefined;
  executions = new SharedExecutions({ formatError: (error) => ({ message: `formatted: ${error.message}` }) });
});

const subscribe = (query: string, variableValues: Record<string, unknown> = {}, contextValue: object = context) =>
  executions.subscribe({ schema, document: parse(query), variableValues, contextValue });

async function textsOf(query: string, variables?: Record<string, unknown>, contextValue?: object): Promise<string[]> {
  const texts: string[] = [];
  for await (const payload of await subscribe(query, variables, contextValue)) texts.push(payload.toString());
  return texts;
}

/** Keeps the operation in use while others come and go. */
async function whileOpen<T>(query: string, variables: Record<string, unknown>, work: () => Promise<T>): Promise<T> {
  await using _open = await subscribe(query, variables);
  return await work();
}

const TICKS = 'subscription($after: String, $scale: Int) { ticks(after: $after, scale: $scale) { number } }';

describe('subscriptions with the same operation', () => {
  it('are executed once for each event, wherever they have started', async () => {
    await whileOpen(TICKS, {}, async () => {
      const first = await textsOf(TICKS, { after: 'a' });
      expect(await textsOf(TICKS, { after: 'b' })).toEqual(first);
      expect(first).toEqual(['{"data":{"ticks":{"number":1}}}', '{"data":{"ticks":{"number":2}}}']);
    });
    expect(resolved).toEqual([1, 2]);
  });

  it('share where the cursor stands in the document too', async () => {
    await whileOpen('subscription { ticks(after: "a") { number } }', {}, async () => {
      await textsOf('subscription { ticks(after: "b") { number } }');
      await textsOf('subscription { ticks(after: "c") { number } }');
    });
    expect(resolved).toEqual([1, 2]);
  });

  it.each([
    ['an inline fragment', '... on Subscription { ticks(after: $after) { number } }', ''],
    ['a fragment', '...Root', 'fragment Root on Subscription { ... { ticks(after: $after) { number } } }'],
  ])('share when their field is in %s too', async (_, selection, fragments) => {
    const query = `subscription($after: String) { ${selection} } ${fragments}`;
    await whileOpen(query, {}, async () => {
      await textsOf(query, { after: 'b' });
      await textsOf(query, { after: 'c' });
    });
    expect(resolved).toEqual([1, 2]);
  });

  it.each([
    ['other variables', TICKS, { scale: 2 }, context],
    ['another document', 'subscription { ticks { number echo } }', {}, context],
    ['another authority', TICKS, {}, { another: true }],
  ])('share nothing with %s', async (_, query, variables, contextValue) => {
    await whileOpen(TICKS, {}, async () => {
      await textsOf(TICKS);
      await textsOf(query, variables, contextValue);
    });
    expect(resolved).toEqual([1, 2, 1, 2]);
  });

  it('do not share what shows the cursor', async () => {
    const echo = 'subscription($after: String) { ticks(after: $after) { echo(of: $after) } }';
    await whileOpen(echo, {}, async () => {
      expect((await textsOf(echo, { after: 'a' }))[0]).toContain('"echo":"a"');
      expect((await textsOf(echo, { after: 'b' }))[0]).toContain('"echo":"b"');
    });
  });
});

describe('a subscription', () => {
  it('that is refused fails with the error itself', async () => {
    failure = new GraphQLError('no such cursor');
    await expect(textsOf(TICKS)).rejects.toThrow('no such cursor');
  });

  it('shows formatted errors in its payloads', async () => {
    const texts = await textsOf('subscription { ticks { number broken } }');
    expect(texts[0]).toContain('"errors":[{"message":"formatted: out of order"}]');
  });

  it.each([
    ['of its own', '{ paced(after: "a") { number } }'],
    ['in an inline fragment', '{ ... on Subscription { paced(after: "a") { number } } }'],
    ['in a fragment', '{ ...Root } fragment Root on Subscription { paced(after: "a") { number } }'],
  ])('with a cursor, in a field %s, is read at the pace of its subscriber', async (_, selection) => {
    const slow = await subscribe(`subscription ${selection}`);
    expect((await slow.next()).value?.toString()).toContain('"number":1');
    await new Promise(setImmediate);
    expect(given).toBe(1);
    await slow.return();
  });

  it('without a cursor is cut off when it reads too slowly', async () => {
    const slow = await subscribe('subscription { others { number } }');
    // The source never rests, so the bound is reached while nothing is taken.
    await new Promise(setImmediate);
    const seen: string[] = [];
    const lagged = await (async () => {
      for await (const payload of slow) seen.push(payload.toString());
    })().catch((error: unknown) => error);
    expect(lagged).toMatchObject({ code: 'LAGGED' });
    expect(seen.length).toBeGreaterThanOrEqual(1_000);
  });
});

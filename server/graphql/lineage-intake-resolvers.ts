import { StringDecoder } from 'node:string_decoder';
import { InputError } from '#errors';
import type { DeadLetter, OpenLineage } from '#ingestion';
import { underInput, withUserErrors } from '../commands/user-errors.js';
import { connection, type PageArguments } from './connection.js';
import type { GraphqlContext } from './graphql-context.js';

interface Input {
  readonly input: { readonly position: number };
}

/** A page of payloads has to fit into memory. */
const MOST_LETTERS = 100;
const MOST_PAYLOAD_BYTES = 1_048_576;

export const lineageIntakeQueries = {
  lineageInbox: async (_: unknown, __: unknown, context: GraphqlContext) => {
    const { head, position, lag } = await openLineageOf(context).drainer.status();
    return { head, position, lag: { ...lag, oldestAgeSeconds: lag.oldestAgeMs / 1_000 } };
  },

  lineageDeadLetters: (_: unknown, args: PageArguments, context: GraphqlContext) => {
    if (args.first != null && args.first > MOST_LETTERS) {
      throw InputError.one('BAD_USER_INPUT', 'first', `must be ${MOST_LETTERS} at most, got ${args.first}`);
    }
    const { deadLetters } = openLineageOf(context);
    return connection(deadLetters, args, (letter) => letterView(letter, deadLetters));
  },
};

export const lineageIntakeMutations = {
  replayLineageEvent: (_: unknown, { input }: Input, context: GraphqlContext) =>
    withUserErrors({ position: null as number | null }, async () => ({
      position: await underInput(() => openLineageOf(context).deadLetters.replay(input.position)),
    })),

  discardLineageEvent: (_: unknown, { input }: Input, context: GraphqlContext) =>
    withUserErrors({ discarded: false }, async () => {
      await underInput(() => openLineageOf(context).deadLetters.discard(input.position));
      return { discarded: true };
    }),
};

function letterView(letter: DeadLetter, deadLetters: OpenLineage['deadLetters']) {
  const { position, receivedAt, parkedAt, reason, bytes } = letter;
  return {
    ...{ position, receivedAt, parkedAt, reason, bytes },
    payload: async ({ maxBytes }: { maxBytes: number }) => {
      if (maxBytes < 1 || maxBytes > MOST_PAYLOAD_BYTES) {
        throw InputError.one('BAD_USER_INPUT', 'maxBytes', `must be from 1 to ${MOST_PAYLOAD_BYTES}, got ${maxBytes}`);
      }
      const payload = await deadLetters.payload(position);
      // Whole characters only.
      return payload && new StringDecoder('utf8').write(Buffer.from(payload).subarray(0, maxBytes));
    },
  };
}

/** @throws InputError where this server takes no events */
export function openLineageOf({ openLineage }: GraphqlContext): OpenLineage {
  if (openLineage === undefined) throw InputError.one('NOT_FOUND', 'server', 'takes no events of OpenLineage');
  return openLineage;
}

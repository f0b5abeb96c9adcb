import { InputError, type InputProblem } from '#errors';
import type { BatchIntake, DeadLetter, Refusal } from '#ingestion';

/** Everything that is wrong with an event, as the problems of the request. */
export function refusalOf({ faults }: Pick<Refusal, 'faults'>): InputError {
  const [first, ...others] = faults.map(
    ({ path, rule }): InputProblem => ({ code: 'BAD_USER_INPUT', field: path === '' ? 'event' : path, message: rule }),
  );
  return new InputError([first ?? { code: 'BAD_USER_INPUT', field: 'event', message: 'cannot be read' }, ...others]);
}

export function parkedAsRefusal({ reason, position }: DeadLetter): Pick<Refusal, 'faults'> {
  const rule = `${reason.message}; it is kept as dead letter ${position}`;
  return { faults: [{ path: reason.path, rule }] };
}

/**
 * What the OpenLineage specification has as the answer to a batch that is not simply taken.
 *
 * @param parked events that were taken, and could not be applied
 */
export function batchAnswer(batch: BatchIntake, parked: readonly DeadLetter[] = []) {
  const first = batch.taken?.range.first ?? 0;
  const failed = [
    ...batch.refused,
    ...parked.map((letter) => ({
      index: batch.takenIndexes[letter.position - first] ?? 0,
      ...parkedAsRefusal(letter),
    })),
  ].sort((a, b) => a.index - b.index);
  return {
    status: failed.length === 0 ? ('success' as const) : ('partial_success' as const),
    summary: {
      received: batch.received,
      successful: batch.received - failed.length,
      failed: failed.length,
      // What breaks a rule now breaks it later, too; what only has to wait was taken.
      retriable: 0,
      non_retriable: failed.length,
    },
    failed_events: failed.map(({ index, faults }) => {
      const { message, problems } = refusalOf({ faults });
      return { index, reason: message, retriable: false, problems };
    }),
    token: batch.taken?.token ?? null,
  };
}

import { InputError } from '#errors';
import type { LineageReader, LineageView } from '#graph-store';
import { readEventTime } from '#ingestion';

/** How callers say which view they want. */
export interface ViewArguments {
  readonly view?: 'CURRENT' | 'AT' | 'EVER' | null | undefined;
  readonly at?: string | null | undefined;
  readonly asOfRun?: string | null | undefined;
}

/** @throws InputError for arguments that do not go together, for what is no instant, and for a run that is not known */
export async function viewOf({ view, at, asOfRun }: ViewArguments, lineage: LineageReader): Promise<LineageView> {
  const moment = at != null || asOfRun != null;
  const asked = view ?? (moment ? 'AT' : 'CURRENT');
  if (asked !== 'AT') {
    if (!moment) return asked;
    throw InputError.one('BAD_USER_INPUT', at == null ? 'asOfRun' : 'at', `is for view AT, not for ${asked}`);
  }
  if (at != null && asOfRun != null) throw InputError.one('BAD_USER_INPUT', 'asOfRun', 'and `at` exclude each other');
  if (at != null) return { at: instantOf(at, 'at') };
  if (asOfRun != null) return { at: await lineage.momentOfRun(asOfRun) };
  throw InputError.one('BAD_USER_INPUT', 'at', 'or `asOfRun` must say when, in view AT');
}

/** Takes what OpenLineage clients send. @throws InputError */
export function instantOf(text: string, field: string): string {
  const instant = readEventTime(text);
  if (instant !== null) return instant;
  throw InputError.one(
    'BAD_USER_INPUT',
    field,
    'must be an instant of ISO 8601, such as 2024-05-01T10:00:00.000000001Z; without a zone it is UTC',
  );
}

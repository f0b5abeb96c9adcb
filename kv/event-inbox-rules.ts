import { InputError } from '#errors';

export function checkPayloads(payloads: readonly Uint8Array[]): void {
  if (payloads.length === 0) throw badInput('payloads', 'must hold at least one event');
  payloads.forEach((payload, index) => {
    if (payload instanceof Uint8Array && payload.length > 0) return;
    throw badInput(`payloads.${index}`, 'must be a non-empty array of bytes');
  });
}

export function checkTime(field: string, time: Date): void {
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) throw badInput(field, 'must be a valid time');
}

/** Positions start at 1; as a bound 0 stands for "before the first". */
export function checkBound(field: string, position: number): void {
  if (!Number.isSafeInteger(position) || position < 0) throw badInput(field, 'must be a whole number, 0 or more');
}

export function checkPositive(field: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw badInput(field, 'must be a whole number, 1 or more');
}

export function checkRemovable(upTo: number, head: number): void {
  checkBound('upTo', upTo);
  if (upTo > head) throw badInput('upTo', `must not lie after the newest event, ${head}; is it of another inbox?`);
}

export function checkReason(reason: { code: string; path: string; message: string }): void {
  for (const field of ['code', 'path', 'message'] as const) {
    if (typeof reason[field] !== 'string') throw badInput(`reason.${field}`, 'must be a string');
  }
}

export function unknownEvent(position: number): InputError {
  return InputError.one(
    'NOT_FOUND',
    'position',
    `names no event in the inbox: ${position}; it was removed or never was`,
  );
}

function badInput(field: string, rule: string): InputError {
  return InputError.one('BAD_USER_INPUT', field, rule);
}

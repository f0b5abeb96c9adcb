import { WriteRefusedError } from '../nucleus-error.js';
import type { UserError } from '../schema-types.js';

/** The payload of a mutation that the server has accepted. @throws WriteRefusedError for one with user errors */
export function accepted<Payload extends { readonly userErrors: readonly UserError[] }>(payload: Payload): Payload {
  const [first, ...more] = payload.userErrors;
  if (first !== undefined) throw new WriteRefusedError([first, ...more], payload);
  return payload;
}

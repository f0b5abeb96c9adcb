import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '#errors';

/** Checks one bearer token. Both sides are hashed first, so the comparison tells neither content nor length by its time. */
export class BearerAuth {
  readonly #digest: Buffer | undefined;

  /** @param token undefined lets every caller in, which the configuration allows on loopback alone */
  constructor(token: string | undefined) {
    this.#digest = token === undefined ? undefined : digest(token);
  }

  /**
   * @param header value of the Authorization header, or of `authorization` in WebSocket connection parameters
   * @throws AppError UNAUTHENTICATED
   */
  check(header: unknown): void {
    if (this.#digest === undefined) return;
    const token = typeof header === 'string' ? /^Bearer\s+(\S+)$/i.exec(header)?.[1] : undefined;
    if (token === undefined || !timingSafeEqual(digest(token), this.#digest)) {
      throw new AppError('UNAUTHENTICATED', 'a valid bearer token is needed: send "Authorization: Bearer <token>"');
    }
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

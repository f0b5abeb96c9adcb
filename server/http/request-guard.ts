import type { IncomingHttpHeaders } from 'node:http';

const LOCAL_NAMES = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * Keeps pages of other sites away from the API. A browser lets any page open WebSockets to loopback, and DNS rebinding lets
 * one send requests under a name of its own. So a request that names an origin must come from a page of this server, and
 * a server without a token answers under loopback names only. Programs that are not browsers send no Origin.
 */
export class RequestGuard {
  readonly #localOnly: boolean;

  constructor(options: { localOnly: boolean }) {
    this.#localOnly = options.localOnly;
  }

  /**
   * Why the request is refused; undefined lets it in.
   *
   * @param options.anyOrigin whether it asks for something that pages of all origins may have
   */
  refusal(headers: IncomingHttpHeaders, { anyOrigin = false } = {}): string | undefined {
    if (this.#localOnly && !LOCAL_NAMES.test(headers.host ?? '')) {
      return 'a server without NUCLEUS_API_TOKEN answers under loopback names only: use http://127.0.0.1 or http://localhost';
    }
    if (!anyOrigin && headers.origin !== undefined && hostOf(headers.origin) !== headers.host) {
      return 'the request comes from a page of another origin';
    }
    return undefined;
  }
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}

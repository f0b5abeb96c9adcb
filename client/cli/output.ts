import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { NucleusError, WriteRefusedError } from '../nucleus-error.js';
import { UsageError } from './exit-codes.js';

const COLOURS = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2 } as const;
export type Colour = keyof typeof COLOURS;

interface Terminal extends Writable {
  readonly isTTY?: boolean | undefined;
}

/** Results go to standard output, as JSON lines or as text for people; everything else to standard error. */
export class Output {
  readonly json: boolean;
  readonly #stdout: Terminal;
  readonly #stderr: Terminal;
  readonly #signal: AbortSignal;
  readonly #colours: boolean;
  /** Stands for the beginning of a colour until control characters are gone; no stored text can know it. */
  readonly #colourMark = crypto.randomUUID();

  constructor(options: {
    json: boolean;
    stdout: Terminal;
    stderr: Terminal;
    signal: AbortSignal;
    env: Readonly<Record<string, string | undefined>>;
  }) {
    this.json = options.json;
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.#signal = options.signal;
    this.#colours = options.stdout.isTTY === true && !options.env.NO_COLOR && options.env.TERM !== 'dumb';
  }

  /** @param text what a person is shown instead of the JSON */
  async result(value: unknown, text: () => string): Promise<void> {
    const line = `${this.json ? JSON.stringify(value) : this.#coloured(printable(text()))}\n`;
    // Waits for a slow reader, so that what is printed never piles up in memory.
    if (!this.#stdout.write(line)) await once(this.#stdout, 'drain', { signal: this.#signal });
    this.#signal.throwIfAborted();
  }

  /** A remark for people; left out with --json. */
  note(text: string): void {
    if (!this.json) this.#stderr.write(`${printable(text)}\n`);
  }

  failure(error: unknown): void {
    this.#stderr.write(
      this.json ? `${JSON.stringify({ error: described(error) })}\n` : `nucleus: ${printable(told(error))}\n`,
    );
  }

  /** For the text of a result alone. */
  paint(colour: Colour, text: string): string {
    return this.#colours ? `${this.#colourMark}${COLOURS[colour]}m${text}${this.#colourMark}0m` : text;
  }

  #coloured(text: string): string {
    return text.replaceAll(this.#colourMark, '\u001b[');
  }

  /** A line that replaces itself; nothing unless a person watches. */
  get progress(): ((text: string) => void) | undefined {
    if (this.#stderr.isTTY !== true) return undefined;
    return (text) => {
      this.#stderr.write(`\r\u001b[K${text}`);
    };
  }
}

/** What is stored may hold what a terminal would obey, to the point of writing to the clipboard. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd');
}

function described(error: unknown) {
  if (error instanceof NucleusError) {
    const { code, message, retryable, requestId, details } = error;
    const userErrors = error instanceof WriteRefusedError ? { userErrors: error.userErrors } : {};
    return { code, message, retryable, requestId: requestId ?? null, details, ...userErrors };
  }
  const code = error instanceof UsageError ? 'USAGE' : 'CLIENT_FAULT';
  return { code, message: messageOf(error), retryable: false, requestId: null, details: {} };
}

function told(error: unknown): string {
  if (!(error instanceof NucleusError)) return messageOf(error);
  const requestId = error.requestId === undefined ? '' : ` (request ${error.requestId})`;
  return `${error.message} [${error.code}]${requestId}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

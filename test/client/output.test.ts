import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Output } from '../../client/cli/output.js';
import { NucleusError } from '../../client/nucleus-error.js';

/** Puts a text on the clipboard, clears the screen, hides in C1, rings, goes back, and colours. */
const HOSTILE = 'a\u001b]52;c;cm0gLXJm\u0007\u001b[2J\u009b2J\u0000\b\r\u007f\u001b[31mz';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

function outputOf({ json = false, isTTY = false } = {}) {
  const [stdout, stderr] = [PassThrough, PassThrough].map((Stream) => Object.assign(new Stream(), { isTTY }));
  if (stdout === undefined || stderr === undefined) throw new Error('there are two');
  const output = new Output({ json, stdout, stderr, signal: new AbortController().signal, env: {} });
  return { output, printed: () => String(stdout.read() ?? ''), told: () => String(stderr.read() ?? '') };
}

describe('what the command line prints for people', () => {
  it('holds no control character of what is stored, on any stream', async () => {
    const { output, printed, told } = outputOf();
    await output.result(HOSTILE, () => `\tname ${HOSTILE}\n\turn 注文`);
    output.note(HOSTILE);
    output.failure(new NucleusError('CONFLICT', HOSTILE));
    const [text, remarks] = [printed(), told()];
    expect(text).toMatch(/^\tname a.*z\n\turn 注文\n$/);
    expect(text).not.toMatch(CONTROL);
    expect(remarks.split('\n')).toHaveLength(3);
    expect(remarks).not.toMatch(CONTROL);
  });

  it('keeps its own colours, and no others', async () => {
    const { output, printed } = outputOf({ isTTY: true });
    await output.result(HOSTILE, () => `${output.paint('cyan', 'Tag')} ${output.paint('dim', HOSTILE)}`);
    const text = printed();
    expect(text).toContain('\u001b[36mTag\u001b[0m \u001b[2ma');
    const uncoloured = [36, 2, 0].reduce((rest, code) => rest.replaceAll(`\u001b[${code}m`, ''), text);
    expect(uncoloured).not.toMatch(CONTROL);
  });

  it('is the value itself as JSON', async () => {
    const { output, printed } = outputOf({ json: true });
    await output.result({ name: HOSTILE }, () => 'not this');
    expect(JSON.parse(printed())).toEqual({ name: HOSTILE });
  });
});

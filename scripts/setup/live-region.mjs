/**
 * Lines at the bottom of a terminal that are redrawn in place, with ordinary lines scrolling above them. On anything but a
 * terminal nothing is redrawn: callers print what matters as ordinary lines and may ask `isLive` whether to print more.
 * @typedef {{
 *   isLive: boolean,
 *   draw: (lines: string[]) => void,
 *   print: (line: string) => void,
 *   clear: () => void,
 * }} LiveRegion
 */

/**
 * @param {NodeJS.WriteStream} stream
 * @returns {LiveRegion}
 */
export function createLiveRegion(stream) {
  const isLive = Boolean(stream.isTTY) && process.env.TERM !== 'dumb';
  /** @type {string[]} */
  let drawn = [];

  const erase = () => {
    if (drawn.length > 0) stream.write(`\x1b[${drawn.length}A\x1b[0J`);
  };
  /** @param {string[]} lines */
  const write = (lines) => {
    // A line that wraps would take two rows, and the next redraw would erase one too few.
    const width = Math.max(20, stream.columns ?? 80) - 1;
    for (const line of lines) stream.write(`${line.length > width ? `${line.slice(0, width - 1)}…` : line}\n`);
  };
  return {
    isLive,
    draw(lines) {
      if (!isLive) return;
      erase();
      write(lines);
      drawn = lines;
    },
    print(line) {
      if (isLive) erase();
      stream.write(`${line}\n`);
      if (isLive) write(drawn);
    },
    clear() {
      if (isLive) erase();
      drawn = [];
    },
  };
}

import type { LiveRegion } from '../setup/live-region.mjs';

/** What `npm start` says while the parts come up: on a terminal the open ones are counted live, below those that are ready. */
export interface StartReport {
  readonly region: LiveRegion;
  line(text: string): void;
  starting(name: string): void;
  ready(name: string, address: string): void;
  /** No part is expected any more. */
  done(): void;
}

const REDRAW_MS = 200;

function elapsed(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`.padStart(8);
}

export function createStartReport(region: LiveRegion): StartReport {
  const open = new Map<string, number>();
  let redraw: NodeJS.Timeout | undefined;

  const draw = () => region.draw([...open].map(([name, since]) => `  ${name.padEnd(15)}${elapsed(since)}  starting`));
  const done = () => {
    clearInterval(redraw);
    redraw = undefined;
    open.clear();
    region.clear();
  };
  return {
    region,
    line: (text) => region.print(text),
    starting(name) {
      open.set(name, Date.now());
      redraw ??= setInterval(draw, REDRAW_MS);
    },
    ready(name, address) {
      const since = open.get(name) ?? Date.now();
      open.delete(name);
      draw();
      region.print(`  ${name.padEnd(15)}${elapsed(since)}  ${address}`);
    },
    done,
  };
}

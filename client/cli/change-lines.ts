import type { GraphChangeItem } from '../schema-types.js';
import type { Colour, Output } from './output.js';

const COLOUR_OF: Readonly<Record<GraphChangeItem['operation'], Colour>> = {
  CREATED: 'green',
  UPDATED: 'yellow',
  DELETED: 'red',
  REVIVED: 'green',
  PURGED: 'red',
};

/** `UPDATED Dataset nucleus:dataset:… v3 rowCount: 10 -> 12` */
export function changeItemLine(item: GraphChangeItem, output: Output): string {
  const what = item.to === null ? item.urn : `${item.urn} -> ${item.to}`;
  const names = [...new Set([...Object.keys(item.before), ...Object.keys(item.after)])];
  const properties = names.map((name) => ` ${name}: ${short(item.before[name])} -> ${short(item.after[name])}`);
  return `${output.paint(COLOUR_OF[item.operation], item.operation)} ${item.kind} ${what} v${item.version}${properties.join('')}`;
}

/** Seconds are enough for people. */
export function timeOf(instant: string): string {
  return instant.replace(/\.\d+/, '');
}

const LONGEST = 60;

function short(value: unknown): string {
  const text = value === undefined ? 'null' : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

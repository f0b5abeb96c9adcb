/** A value that no property can hold; it refuses its row alone. `rule` reads after the name of the property. */
export class BadCell {
  readonly rule: string;

  constructor(rule: string) {
    this.rule = rule;
  }
}

/** A JSON value, a `Date` for an instant, null, or a `BadCell`. */
export type Cell = unknown;

/** Reads the value of one row of a column. */
export type CellReader = (row: number) => Cell;

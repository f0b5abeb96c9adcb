import neo4j from 'neo4j-driver';

/** What a property may hold. Whole numbers are stored as integers, `Date` as a zoned date-time; nested data goes in as JSON text. */
export type PropertyValue = string | number | boolean | Date | readonly string[];

/** A partial update: a property that is absent stays, `null` removes it. */
export type PropertyPatch = Readonly<Record<string, PropertyValue | null>>;

export type Properties = Readonly<Record<string, PropertyValue>>;

/** The driver sends every JavaScript number as a float unless told otherwise; beyond 2^53 it can only be one. */
export function toNeo4j(value: PropertyValue | null): unknown {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return neo4j.int(value);
    if (!Number.isFinite(value)) throw new TypeError(`is ${value}, which cannot be stored`);
    return value;
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError('is no valid date');
    return neo4j.types.DateTime.fromStandardDate(value);
  }
  return value;
}

export function fromNeo4j(value: unknown): PropertyValue {
  if (typeof value !== 'object') return value as PropertyValue;
  if (value instanceof neo4j.types.DateTime) return value.toStandardDate();
  if (neo4j.isInt(value)) return value.toNumber();
  return value as PropertyValue;
}

export function propertiesFromNeo4j(properties: Record<string, unknown>): Record<string, PropertyValue> {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, fromNeo4j(value)]));
}

export function sameValue(a: PropertyValue | null | undefined, b: PropertyValue | null | undefined): boolean {
  if (a === undefined || a === null || b === undefined || b === null) return (a ?? null) === (b ?? null);
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => item === b[i]);
  return a === b;
}

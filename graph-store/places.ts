import neo4j, { type Integer } from 'neo4j-driver';

/** Urns, once each, for rows that name them by their place: a place costs a fraction of a urn to send and to look up. */
export class Places {
  readonly urns: string[] = [];
  readonly #places = new Map<string, Integer>();

  constructor(urns: Iterable<string> = []) {
    for (const urn of urns) this.of(urn);
  }

  of(urn: string): Integer {
    const known = this.#places.get(urn);
    if (known !== undefined) return known;
    const place = neo4j.int(this.urns.length);
    this.urns.push(urn);
    this.#places.set(urn, place);
    return place;
  }
}

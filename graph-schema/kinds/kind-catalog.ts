import { BUILT_IN_KINDS } from './built-in-kinds.js';
import type { KindDefinition, LinkDefinition } from './kind-definition.js';

/** The kinds that are known at one time, by what one looks them up with: the built-in ones and those that users have defined. */
export class KindCatalog {
  readonly kinds: readonly KindDefinition[];
  readonly #byName: ReadonlyMap<string, KindDefinition>;
  readonly #byUrnKind: ReadonlyMap<string, readonly KindDefinition[]>;

  /** @param custom kinds of users, with all links that they may have */
  constructor(custom: readonly KindDefinition[] = []) {
    this.kinds = [...BUILT_IN_KINDS, ...custom];
    this.#byName = new Map(this.kinds.map((kind) => [kind.name, kind]));
    const byUrnKind = new Map<string, KindDefinition[]>();
    for (const kind of this.kinds) {
      const sharing = byUrnKind.get(kind.urnKind);
      if (sharing === undefined) byUrnKind.set(kind.urnKind, [kind]);
      else sharing.push(kind);
    }
    this.#byUrnKind = byUrnKind;
  }

  find(name: string): KindDefinition | undefined {
    return this.#byName.get(name);
  }

  /** The kinds that share one second part of the urn, the most specific first; none for one that nobody has defined. */
  ofUrnKind(urnKind: string): readonly KindDefinition[] {
    return this.#byUrnKind.get(urnKind) ?? [];
  }

  /** What is declared of links that leave entities of any of these kinds. */
  linksFrom(kinds: readonly KindDefinition[], linkKind: string): readonly LinkDefinition[] {
    return kinds.flatMap((kind) => kind.links.filter((link) => link.kind === linkKind));
  }
}

const BUILT_IN_NAMES = BUILT_IN_KINDS.map((kind) => kind.name);

/** The kind that a node's labels tell; undefined for a placeholder, which has the base label alone. */
export function mostSpecificKind(labels: readonly string[]): string | undefined {
  return BUILT_IN_NAMES.find((name) => labels.includes(name)) ?? labels.find((label) => label !== 'Entity');
}

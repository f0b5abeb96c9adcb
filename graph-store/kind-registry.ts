import { type Driver, Neo4jError } from 'neo4j-driver';
import { AppError, InputError } from '#errors';
import {
  COMMON_LINKS,
  formatUrn,
  KindCatalog,
  type KindDefinition,
  LIST_DEFINED_KINDS,
  type LinkDefinition,
} from '#graph-schema';
import { BatchRefused } from './batch-refused.js';
import { canonicalJson } from './canonical-json.js';
import type { ChangeItem, GraphStore, WriteContext } from './graph-store.js';
import { type DefinedKind, growKind } from './kind-definition-rules.js';
import type { KindRegistry } from './knowledge-types.js';
import { inReadTransaction } from './neo4j-session.js';
import { type PropertyValue, propertiesFromNeo4j } from './property-values.js';
import { isDeclared } from './visible-properties.js';

/** A kind of users as it is stored: with the links that it declares itself, and the version of its node. */
interface StoredKind {
  readonly kind: DefinedKind;
  readonly version: number;
}

/** How often a definition is tried again when others define kinds at the same time. */
const ATTEMPTS = 10;

/** Graphs may hold nodes of no kind; their changes must not cost a query each. */
const UNKNOWN_FOR_MS = 1_000;
const MOST_UNKNOWN = 10_000;

/** KindRegistry on Neo4j. Kinds of users are nodes like others, so the change log tells who has defined what and when. */
export class Neo4jKindRegistry implements KindRegistry {
  readonly #driver: Driver;
  readonly #store: GraphStore;
  #catalog: Promise<KindCatalog> | undefined;
  /** Urns whose kind nobody has defined, with the time from when on to look again. */
  readonly #askAgain = new Map<string, number>();

  constructor(driver: Driver, store: GraphStore) {
    this.#driver = driver;
    this.#store = store;
  }

  async all(): Promise<readonly KindDefinition[]> {
    return (await this.refresh()).kinds;
  }

  async find(name: string): Promise<KindDefinition | undefined> {
    return (await this.known()).find(name) ?? (await this.refresh()).find(name);
  }

  async known(): Promise<KindCatalog> {
    return this.#catalog ?? this.refresh();
  }

  async refresh(): Promise<KindCatalog> {
    const reading = this.#readAll().then(catalogOf);
    // A copy that cannot be read must not stay: whoever asks next reads again.
    reading.catch(() => {
      if (this.#catalog === reading) this.#catalog = undefined;
    });
    this.#catalog = reading;
    return reading;
  }

  async catalogFor(items: readonly ChangeItem[]): Promise<KindCatalog> {
    const catalog = await this.known();
    const now = performance.now();
    const unknown = items.filter((item) => !isKnown(item, catalog) && now >= (this.#askAgain.get(item.urn) ?? 0));
    if (unknown.length === 0) return catalog;
    const refreshed = await this.refresh();
    if (this.#askAgain.size > MOST_UNKNOWN) this.#askAgain.clear();
    for (const item of unknown) {
      if (!isKnown(item, refreshed)) this.#askAgain.set(item.urn, now + UNKNOWN_FOR_MS);
    }
    return refreshed;
  }

  async define(given: DefinedKind, context: WriteContext): Promise<{ kind: KindDefinition; sequence: number | null }> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const stored = await this.#readAll();
      const present = stored.get(given.name);
      const { kind, problems } = growKind(given, present?.kind, catalogOf(stored));
      const [first, ...rest] = problems;
      if (first !== undefined) throw new InputError([first, ...rest]);
      const sequence = await this.#save(kind, present?.version ?? 0, context);
      if (sequence === undefined) continue;
      const defined = (await this.refresh()).find(given.name);
      if (defined === undefined)
        throw new AppError('INTERNAL_SERVER_ERROR', `kind ${given.name} was stored but not found`);
      return { kind: defined, sequence };
    }
    throw new AppError('CONFLICT', `kind ${given.name} is being defined by many at once: try again`, {
      details: { kind: given.name, attempts: ATTEMPTS },
    });
  }

  /** Undefined when somebody else was faster, with this kind or with another of the same urns. */
  async #save(kind: DefinedKind, version: number, context: WriteContext): Promise<number | null | undefined> {
    const { name, description, urnKind, keyParts, properties, links } = kind;
    try {
      const receipt = await this.#store.upsertEntity(
        {
          kind: 'KindDefinition',
          urn: formatUrn('kind', [name]),
          name,
          properties: { description, urnKind, keyParts, declares: canonicalJson({ properties, links }) },
          ifVersion: version,
        },
        context,
      );
      return receipt.sequence;
    } catch (error) {
      if (error instanceof BatchRefused && error.code === 'CONFLICT') return undefined;
      if (error instanceof Neo4jError && error.code === 'Neo.ClientError.Schema.ConstraintValidationFailed')
        return undefined;
      throw error;
    }
  }

  async #readAll(): Promise<ReadonlyMap<string, StoredKind>> {
    const { records } = await inReadTransaction(this.#driver, (tx) =>
      tx.run<{ n: Record<string, unknown> }>(LIST_DEFINED_KINDS),
    );
    return new Map(
      records.map((record) => {
        const stored = fromNode(propertiesFromNeo4j(record.get('n')));
        return [stored.kind.name, stored];
      }),
    );
  }
}

function catalogOf(stored: ReadonlyMap<string, StoredKind>): KindCatalog {
  return new KindCatalog(
    [...stored.values()].map(({ kind }) => ({ ...kind, origin: 'CUSTOM', links: [...COMMON_LINKS, ...kind.links] })),
  );
}

function fromNode(node: Readonly<Record<string, PropertyValue>>): StoredKind {
  const { properties, links } = JSON.parse(String(node.declares)) as {
    properties: DefinedKind['properties'];
    links: readonly LinkDefinition[];
  };
  return {
    kind: {
      name: String(node.name),
      description: String(node.description),
      urnKind: String(node.urnKind),
      keyParts: node.keyParts as readonly string[],
      properties,
      links,
    },
    version: Number(node.version),
  };
}

function isKnown({ urn, kind, to, before, after }: ChangeItem, catalog: KindCatalog): boolean {
  const names = [...Object.keys(before), ...Object.keys(after)];
  return isDeclared({ urn, names, ...(to !== undefined && { edge: kind }) }, catalog);
}

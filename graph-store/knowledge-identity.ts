import {
  definedKind,
  definedLink,
  EDGE_KINDS,
  type EdgeKind,
  ENTITY_LABELS,
  type EntityKind,
  formatUrn,
  INGESTION_JOB_NAMESPACE,
  type KindCatalog,
  type KindDefinition,
  type KindName,
  type LinkKindName,
  type PropertyDefinition,
  parseUrn,
  UrnSyntaxError,
} from '#graph-schema';
import type { EdgeIdentity, Refusal } from './graph-store.js';
import type { EntityInput, LinkReference } from './knowledge-types.js';
import { shapeOf } from './knowledge-values.js';

/** Bounds of what names an entity. */
export const NAME_LIMITS = { urnBytes: 2_000, nameCharacters: 1_024 } as const;

/** Ends the check of one item; `knowledge-validation.ts` turns it into a result. */
export class Refused extends Error {
  readonly refusal: Refusal;
  readonly unknownName: boolean;

  constructor(field: string, message: string, unknownName = false) {
    super(message);
    this.refusal = { code: 'BAD_USER_INPUT', field, message };
    this.unknownName = unknownName;
  }
}

export interface IdentifiedEntity {
  readonly kind: KindDefinition;
  /** The kind as the store takes it. */
  readonly label: KindName;
  readonly urn: string;
  readonly parts: readonly string[];
}

export interface IdentifiedLink {
  readonly identity: EdgeIdentity;
  readonly declared: Readonly<Record<string, PropertyDefinition>>;
}

/** A urn that is sound, with the kinds that it can be of. */
interface KnownUrn {
  readonly urn: string;
  readonly kinds: readonly KindDefinition[];
  readonly parts: readonly string[];
}

/** @throws Refused when the item does not name an entity that users may write */
export function identify(item: EntityInput, catalog: KindCatalog): IdentifiedEntity {
  if (item.urn != null) {
    if (item.key != null) throw new Refused('key', 'goes without `urn`: give one of the two');
    const { urn, kinds, parts } = readUrn('urn', item.urn, catalog);
    if (item.kind == null) return identified(writableKind(kinds, parts, 'urn'), urn, parts);
    const kind = findKind(item.kind, catalog);
    if (!kinds.includes(kind)) {
      throw new Refused(
        'kind',
        `is ${kind.name}, but the urn is one of kind ${kinds.map(({ name }) => name).join(' or ')}`,
      );
    }
    return identified(writableKind([kind], parts, 'kind'), urn, parts);
  }
  if (item.kind == null || item.key == null) throw new Refused('urn', 'is missing: give `urn`, or `kind` with `key`');
  const kind = findKind(item.kind, catalog);
  const parts = readKey(item.key, kind);
  const urn = formatUrn(kind.urnKind, parts as [string, ...string[]]);
  checkUrnLength('key', urn);
  return identified(writableKind([kind], parts, 'kind'), urn, parts);
}

function identified(kind: KindDefinition, urn: string, parts: readonly string[]): IdentifiedEntity {
  return { kind, label: nameOfKind(kind), urn, parts };
}

function findKind(name: unknown, catalog: KindCatalog): KindDefinition {
  if (typeof name !== 'string') throw new Refused('kind', `must be the name of a kind, got ${shapeOf(name)}`);
  const kind = catalog.find(name);
  if (kind === undefined) throw new Refused('kind', `names no kind: ${quoted(name)}; entityKinds lists them`, true);
  return kind;
}

function readKey(key: unknown, kind: KindDefinition): string[] {
  const wanted = `the parts ${kind.keyParts.join(', ')}`;
  if (!isObject(key)) throw new Refused('key', `must be an object of ${wanted}, got ${shapeOf(key)}`);
  const foreign = Object.keys(key).find((part) => !kind.keyParts.includes(part));
  if (foreign !== undefined) throw new Refused('key', `has ${quoted(foreign)}, where kind ${kind.name} has ${wanted}`);
  return kind.keyParts.map((part) => {
    const value = Object.hasOwn(key, part) ? key[part] : undefined;
    if (typeof value !== 'string' || value === '') {
      throw new Refused(`key.${part}`, `must be a non-empty string, got ${shapeOf(value)}`);
    }
    if (UNPRINTABLE.test(value))
      throw new Refused(`key.${part}`, 'holds a control character or half of a surrogate pair');
    return value;
  });
}

export const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

/** @throws Refused when the text is no urn, or one of no kind */
export function readUrn(field: string, urn: unknown, catalog: KindCatalog): KnownUrn {
  if (typeof urn !== 'string') throw new Refused(field, `must be a urn, got ${shapeOf(urn)}`);
  checkUrnLength(field, urn);
  const { kind: urnKind, parts } = parse(field, urn);
  if (parts.some((part) => UNPRINTABLE.test(part))) {
    throw new Refused(field, 'holds a control character or half of a surrogate pair');
  }
  const kinds = catalog.ofUrnKind(urnKind);
  const [first] = kinds;
  if (first === undefined) {
    throw new Refused(field, `is of no known kind: nucleus:${quoted(urnKind)}; entityKinds lists them`, true);
  }
  if (parts.length !== first.keyParts.length) {
    throw new Refused(field, `has ${parts.length} parts, where kind ${first.name} has ${first.keyParts.join(', ')}`);
  }
  return { urn, kinds, parts };
}

function parse(field: string, urn: string): { kind: string; parts: string[] } {
  try {
    return parseUrn(urn);
  } catch (error) {
    if (!(error instanceof UrnSyntaxError)) throw error;
    throw new Refused(
      field,
      'is no urn in its canonical spelling: nucleus:<kind>:<part>[:<part>…], parts percent-encoded',
    );
  }
}

function checkUrnLength(field: string, urn: string): void {
  const bytes = urn.length * 3 <= NAME_LIMITS.urnBytes ? 0 : Buffer.byteLength(urn);
  if (bytes > NAME_LIMITS.urnBytes) {
    throw new Refused(field, `makes a urn of ${bytes} bytes, where ${NAME_LIMITS.urnBytes} are allowed`);
  }
}

/** Users write no entity of a kind that Nucleus writes itself, nor the jobs that are its own units. */
export function writableKind(
  kinds: readonly KindDefinition[],
  parts: readonly string[],
  field: string,
): KindDefinition {
  const kind = kinds.find(({ origin }) => origin !== 'PLATFORM');
  if (kind === undefined) throw new Refused(field, `is of kind ${kinds[0]?.name}, which Nucleus itself writes`);
  if (kind.name === 'Job' && parts[0] === INGESTION_JOB_NAMESPACE) {
    throw new Refused(field, `lies in the namespace ${INGESTION_JOB_NAMESPACE}, which Nucleus itself writes`);
  }
  return kind;
}

/** @throws Refused when the kinds of the ends have no such link */
export function identifyLink(item: LinkReference, catalog: KindCatalog): IdentifiedLink {
  const { kind } = item;
  if (typeof kind !== 'string') throw new Refused('kind', `must be the kind of a link, got ${shapeOf(kind)}`);
  const from = readUrn('from', item.from, catalog);
  const to = readUrn('to', item.to, catalog);
  const links = catalog.linksFrom(from.kinds, kind);
  if (links.length === 0) {
    throw new Refused(
      'kind',
      `is no link that ${namesOf(from.kinds)} may have: ${quoted(kind)}; entityKinds lists them`,
      true,
    );
  }
  const link = links.find((candidate) =>
    candidate.to.some((name) => name === '*' || to.kinds.some((target) => target.name === name)),
  );
  if (link === undefined) {
    throw new Refused(
      'to',
      `is of kind ${namesOf(to.kinds)}, where ${kind} points to ${links.flatMap((l) => l.to).join(' or ')}`,
      true,
    );
  }
  return { identity: { kind: nameOfLink(link.kind), from: from.urn, to: to.urn }, declared: link.properties ?? NONE };
}

const NONE: Readonly<Record<string, PropertyDefinition>> = Object.freeze({});

const namesOf = (kinds: readonly KindDefinition[]): string => kinds.map(({ name }) => name).join(' or ');

function nameOfKind({ name }: KindDefinition): KindName {
  return Object.hasOwn(ENTITY_LABELS, name) ? (name as EntityKind) : definedKind(name);
}

function nameOfLink(name: string): LinkKindName {
  return EDGE_KINDS.includes(name as EdgeKind) ? (name as EdgeKind) : definedLink(name);
}

/** Names in messages are cut: whoever sends a megabyte need not get it back. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

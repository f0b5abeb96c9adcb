import type { InputProblem } from '#errors';
import {
  COMMON_LINKS,
  EDGE_KINDS,
  ENTITY_LABELS,
  formatUrn,
  KIND_NAME_PATTERN,
  type KindCatalog,
  type KindDefinition,
  LINK_KIND_PATTERN,
  type LinkDefinition,
  PROPERTY_NAME_PATTERN,
  PROPERTY_TYPES,
  type PropertyDefinition,
  RESERVED_PROPERTIES,
  UrnSyntaxError,
} from '#graph-schema';
import { LONE_SURROGATE } from './canonical-json.js';

/** Bounds of what users may define. */
export const KIND_LIMITS = {
  kinds: 500,
  properties: 200,
  links: 100,
  keyParts: 8,
  nameCharacters: 63,
  descriptionCharacters: 4_000,
} as const;

/** A kind as users give it: without its origin, and without the links that every kind has. */
export type DefinedKind = Omit<KindDefinition, 'origin'>;

const BROKEN = 'holds half of a surrogate pair, which is not a character';

type Properties = Readonly<Record<string, PropertyDefinition>>;
type Report = (field: string, message: string) => void;

/** Labels of what the store keeps beside the entities, and the base label of those. */
const TAKEN_LABELS = new Set<string>([
  'Entity',
  'Change',
  'ChangeLog',
  'SchemaVersion',
  'WriteRequest',
  ...Object.values(ENTITY_LABELS).flat(),
]);

/**
 * What a kind is once `given` is added to what is stored of it, with everything that speaks against it. A kind only grows:
 * nothing that it allows is taken away, so every entity and every older copy of it stays valid.
 *
 * @param catalog every kind that is known, for names that must be free or must exist
 */
export function growKind(
  given: DefinedKind,
  stored: DefinedKind | undefined,
  catalog: KindCatalog,
): { kind: DefinedKind; problems: readonly InputProblem[] } {
  const problems: InputProblem[] = [];
  const report: Report = (field, message) => problems.push({ code: 'BAD_USER_INPUT', field, message });
  checkIdentity(given, stored, catalog, report);
  checkKeyParts(given, stored, report);
  const keys = new Set(given.keyParts);
  const properties = growProperties(
    withoutKeys(given.properties, keys, report),
    stored?.properties,
    'properties',
    report,
  );
  const links = growLinks(given, stored?.links ?? [], catalog, report);
  within(Object.keys(properties).length, KIND_LIMITS.properties, 'properties', report);
  within(links.length, KIND_LIMITS.links, 'links', report);
  const { name, description, urnKind, keyParts } = given;
  return { kind: { name, description, urnKind, keyParts, properties, links }, problems };
}

function checkIdentity(
  given: DefinedKind,
  stored: DefinedKind | undefined,
  catalog: KindCatalog,
  report: Report,
): void {
  if (!KIND_NAME_PATTERN.test(given.name)) {
    report('name', `must be a capital letter, then letters and digits, ${KIND_LIMITS.nameCharacters} at most`);
  } else if (TAKEN_LABELS.has(given.name))
    report('name', `${given.name} is the name of what Nucleus itself ships with`);
  if (given.description.length > KIND_LIMITS.descriptionCharacters) {
    report('description', `must have ${KIND_LIMITS.descriptionCharacters} characters at most`);
  }
  if (LONE_SURROGATE.test(given.description)) report('description', BROKEN);
  if (!isUrnKind(given.urnKind)) {
    report('urnKind', `must be lower-case words joined by "-", ${KIND_LIMITS.nameCharacters} characters at most`);
  } else if (stored !== undefined && stored.urnKind !== given.urnKind) {
    report('urnKind', `is ${stored.urnKind} already and never changes: its urns are made of it`);
  } else {
    const owner = catalog.ofUrnKind(given.urnKind).find((kind) => kind.name !== given.name);
    if (owner !== undefined) report('urnKind', `${given.urnKind} belongs to kind ${owner.name}`);
  }
  const custom = catalog.kinds.filter((kind) => kind.origin === 'CUSTOM');
  if (stored === undefined && custom.length >= KIND_LIMITS.kinds) {
    report('name', `would be one kind too many: ${KIND_LIMITS.kinds} are allowed`);
  }
}

function isUrnKind(urnKind: string): boolean {
  try {
    formatUrn(urnKind, ['x']);
    return urnKind.length <= KIND_LIMITS.nameCharacters;
  } catch (error) {
    if (error instanceof UrnSyntaxError) return false;
    throw error;
  }
}

function checkKeyParts(given: DefinedKind, stored: DefinedKind | undefined, report: Report): void {
  if (stored !== undefined) {
    if (stored.keyParts.join() !== given.keyParts.join()) {
      report('keyParts', `are ${stored.keyParts.join(', ')} already and never change: its urns are made of them`);
    }
    return;
  }
  if (given.keyParts.length === 0) report('keyParts', 'must name one part at least');
  within(given.keyParts.length, KIND_LIMITS.keyParts, 'keyParts', report);
  if (new Set(given.keyParts).size < given.keyParts.length) report('keyParts', 'must differ from each other');
  // `name` is the caption, which every entity has and which a part of the urn may be.
  for (const part of given.keyParts.filter((name) => name !== 'name')) checkPropertyName(part, 'keyParts', report);
}

function checkPropertyName(name: string, field: string, report: Report): void {
  if (!PROPERTY_NAME_PATTERN.test(name)) {
    report(
      field,
      `${quoted(name)} must be a small letter, then letters, digits and "_", ${KIND_LIMITS.nameCharacters} at most`,
    );
  } else if ((RESERVED_PROPERTIES as readonly string[]).includes(name)) {
    report(field, `${name} is what every entity has: choose another name`);
  }
}

/** Parts of the urn are properties already, so declaring one again says nothing new. */
function withoutKeys(properties: Properties, keys: ReadonlySet<string>, report: Report): Properties {
  const others: [string, PropertyDefinition][] = [];
  for (const [name, definition] of Object.entries(properties)) {
    if (!keys.has(name)) others.push([name, definition]);
    else if (definition.type !== 'STRING') report(`properties.${name}`, 'is a part of the urn, so its type is STRING');
  }
  return Object.fromEntries(others);
}

function growProperties(given: Properties, stored: Properties | undefined, field: string, report: Report): Properties {
  const grown: Record<string, PropertyDefinition> = { ...stored };
  for (const [name, definition] of Object.entries(given)) {
    const at = PROPERTY_NAME_PATTERN.test(name) ? `${field}.${name}` : field;
    const present = stored !== undefined && Object.hasOwn(stored, name) ? stored[name] : undefined;
    checkPropertyName(name, at, report);
    if (!PROPERTY_TYPES.includes(definition.type))
      report(at, `must be of one of the types ${PROPERTY_TYPES.join(', ')}`);
    if (present !== undefined && present.type !== definition.type) {
      report(at, `is of type ${present.type} already, and entities may hold such values`);
    }
    if (stored !== undefined && (present?.required ?? false) !== (definition.required ?? false)) {
      report(
        at,
        present?.required ? 'is required already' : 'cannot be required now: there may be entities without it',
      );
    }
    checkDescription(definition.description, at, report);
    const description = definition.description ?? present?.description;
    grown[name] = {
      type: definition.type,
      ...(description !== undefined && { description }),
      ...(definition.required && { required: true }),
    };
  }
  return grown;
}

function growLinks(
  given: DefinedKind,
  stored: readonly LinkDefinition[],
  catalog: KindCatalog,
  report: Report,
): readonly LinkDefinition[] {
  const grown = new Map(stored.map((link) => [link.kind, link]));
  const seen = new Set<string>();
  for (const link of given.links) {
    const field = LINK_KIND_PATTERN.test(link.kind) ? `links.${link.kind}` : 'links';
    if (seen.has(link.kind)) report(field, 'is given twice');
    seen.add(link.kind);
    if (isCommon(link, field, report)) continue;
    checkLinkKind(link.kind, field, report);
    const present = grown.get(link.kind);
    if (link.to.length === 0) report(`${field}.to`, 'must name one kind at least, or "*" for any');
    for (const to of link.to) {
      if (to !== '*' && to !== given.name && catalog.find(to) === undefined) {
        report(`${field}.to`, `names no kind: ${quoted(to)}`);
      }
    }
    checkDescription(link.description, field, report);
    const properties = growProperties(
      link.properties ?? {},
      present && (present.properties ?? {}),
      `${field}.properties`,
      report,
    );
    within(Object.keys(properties).length, KIND_LIMITS.properties, `${field}.properties`, report);
    const description = link.description ?? present?.description;
    grown.set(link.kind, {
      kind: link.kind,
      to: [...new Set([...(present?.to ?? []), ...link.to])],
      properties,
      ...(description !== undefined && { description }),
    });
  }
  return [...grown.values()];
}

/** Every kind has the common links; one who repeats them, having read them from the API, asks for nothing. */
function isCommon(link: LinkDefinition, field: string, report: Report): boolean {
  const common = COMMON_LINKS.find(({ kind }) => kind === link.kind);
  if (common === undefined) return false;
  const same =
    link.to.every((kind) => common.to.includes(kind)) &&
    Object.keys(link.properties ?? {}).every((name) => Object.hasOwn(common.properties ?? {}, name));
  if (!same) report(field, `means the same for every kind: it points to ${common.to.join(', ')}; leave it out`);
  return true;
}

function checkLinkKind(kind: string, field: string, report: Report): void {
  if (!LINK_KIND_PATTERN.test(kind) || kind.length > KIND_LIMITS.nameCharacters) {
    report(
      field,
      `${quoted(kind)} must be capitals and digits, words joined by "_", ${KIND_LIMITS.nameCharacters} at most`,
    );
  } else if ((EDGE_KINDS as readonly string[]).includes(kind)) {
    report(field, `${kind} has a meaning of its own in Nucleus: choose another name`);
  }
}

function checkDescription(description: string | undefined, field: string, report: Report): void {
  if (description === undefined) return;
  if (description.length > KIND_LIMITS.descriptionCharacters) {
    report(field, `must have a description of ${KIND_LIMITS.descriptionCharacters} characters at most`);
  }
  if (LONE_SURROGATE.test(description)) report(field, `has a description that ${BROKEN}`);
}

function within(actual: number, limit: number, field: string, report: Report): void {
  if (actual > limit) report(field, `would be ${actual}, where ${limit} are allowed`);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

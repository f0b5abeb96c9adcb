import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  COMMON_LINKS,
  EDGE_KINDS,
  KIND_NAME_PATTERN,
  KindCatalog,
  LINK_KIND_PATTERN,
  PROPERTY_NAME_PATTERN,
  parseUrn,
} from '#graph-schema';
import type { EntityInput, LinkInput } from '#graph-store';
import { checkEntity, checkLink, checkLinkReference, checkReference } from '../../graph-store/knowledge-validation.js';

const catalog = new KindCatalog([
  {
    name: 'JiraIssue',
    origin: 'CUSTOM',
    description: 'An issue.',
    urnKind: 'jira-issue',
    keyParts: ['project', 'number'],
    properties: { summary: { type: 'STRING', required: true }, points: { type: 'INTEGER' } },
    links: [...COMMON_LINKS, { kind: 'BLOCKS', to: ['JiraIssue'] }, { kind: 'ABOUT', to: ['*'] }],
  },
]);

const ORDERS = 'nucleus:dataset:s3%3A%2F%2Flake:orders';
const ISSUE = 'nucleus:jira-issue:NUC:1';

const entity = (input: unknown) => checkEntity(input as EntityInput, catalog);
const link = (input: unknown) => checkLink(input as LinkInput, catalog);

describe('an entity that a user sends', () => {
  it('is named by its urn or by its kind with the parts of the urn', () => {
    const expected = { ok: true, value: { kind: 'Dataset', urn: ORDERS, initial: { namespace: 's3://lake' } } };
    expect(entity({ urn: ORDERS })).toEqual(expected);
    expect(entity({ kind: 'Dataset', urn: ORDERS })).toEqual(expected);
    expect(entity({ kind: 'Dataset', key: { name: 'orders', namespace: 's3://lake' } })).toEqual(expected);
  });

  it('of a kind of users carries what the kind requires', () => {
    expect(entity({ urn: ISSUE, name: 'First', properties: { points: 3, number: '1' }, ifVersion: 0 })).toEqual({
      ok: true,
      value: {
        kind: 'JiraIssue',
        urn: ISSUE,
        name: 'First',
        properties: { points: 3 },
        initial: { project: 'NUC', number: '1' },
        required: ['summary'],
        ifVersion: 0,
      },
    });
  });

  it.each([
    ['text instead of an object', 'x', '', 'must be an object'],
    ['nothing that names it', {}, 'urn', 'is missing'],
    ['a kind without a key', { kind: 'Tag' }, 'urn', 'is missing'],
    ['both names', { urn: ORDERS, kind: 'Dataset', key: {} }, 'key', 'goes without `urn`'],
    ['a urn that is none', { urn: 'orders' }, 'urn', 'is no urn'],
    ['a urn in another spelling', { urn: 'nucleus:tag:a%2db' }, 'urn', 'is no urn in its canonical spelling'],
    ['a urn that is a number', { urn: 5 }, 'urn', 'must be a urn, got 5'],
    ['a urn of no kind', { urn: 'nucleus:nothing:a' }, 'urn', 'is of no known kind'],
    [
      'a urn with parts missing',
      { urn: 'nucleus:dataset:a' },
      'urn',
      'has 1 parts, where kind Dataset has namespace, name',
    ],
    ['a urn that is too long', { urn: `nucleus:tag:${'x'.repeat(2_000)}` }, 'urn', 'makes a urn of 2012 bytes'],
    ['a control character in the urn', { urn: 'nucleus:tag:a%00b' }, 'urn', 'holds a control character'],
    [
      'a control character in the key',
      { kind: 'Tag', key: { name: 'a\u0007' } },
      'key.name',
      'holds a control character',
    ],
    ['half a character in the key', { kind: 'Tag', key: { name: '\ud83d' } }, 'key.name', 'half of a surrogate pair'],
    ['an empty part', { kind: 'Tag', key: { name: '' } }, 'key.name', 'must be a non-empty string'],
    ['a part of another kind', { kind: 'Tag', key: { name: 'a', id: 'b' } }, 'key', 'has "id", where kind Tag has'],
    ['an unknown kind', { kind: 'Nope', key: { name: 'a' } }, 'kind', 'names no kind: "Nope"'],
    ['a kind with backticks', { kind: 'Tag`) DETACH DELETE (n', key: { name: 'a' } }, 'kind', 'names no kind'],
    ['another kind than the urn', { kind: 'Tag', urn: ORDERS }, 'kind', 'is Tag, but the urn is one of kind Dataset'],
    ['a kind of Nucleus', { urn: 'nucleus:endpoint:crm' }, 'urn', 'which Nucleus itself writes'],
    ['a job of Nucleus', { urn: 'nucleus:job:nucleus-ingestion:crm%2Forders' }, 'urn', 'which Nucleus itself writes'],
    ['a run', { urn: 'nucleus:run:1' }, 'urn', 'which Nucleus itself writes'],
    [
      'an unknown property',
      { urn: ORDERS, properties: { nope: 1 } },
      'properties.nope',
      'names no property of kind Dataset',
    ],
    ['a property with backticks', { urn: ORDERS, properties: { 'a`b': 1 } }, 'properties', 'names no property'],
    [
      'a property of objects',
      { urn: ORDERS, properties: JSON.parse('{"__proto__": 1}') },
      'properties.__proto__',
      'names no property',
    ],
    ['the name among the properties', { urn: ORDERS, properties: { name: 'x' } }, 'properties.name', 'is given beside'],
    [
      'the version among the properties',
      { urn: ORDERS, properties: { version: 9 } },
      'properties.version',
      'names no property',
    ],
    [
      'another value for a part of the urn',
      { urn: ORDERS, properties: { namespace: 'x' } },
      'properties.namespace',
      'never changes',
    ],
    ['a wrong type', { urn: ORDERS, properties: { rowCount: '5' } }, 'properties.rowCount', 'must be a whole number'],
    ['properties that are a list', { urn: ORDERS, properties: [] }, 'properties', 'must be an object'],
    ['an empty name', { urn: ORDERS, name: ' ' }, 'name', 'is empty'],
    ['a name that is too long', { urn: ORDERS, name: 'x'.repeat(1_025) }, 'name', 'has 1025 characters'],
    ['a negative version', { urn: ORDERS, ifVersion: -1 }, 'ifVersion', 'must be a whole number, 0 or greater, got -1'],
    ['half a version', { urn: ORDERS, ifVersion: 0.5 }, 'ifVersion', 'must be a whole number'],
  ])('is refused for %s', (_, input, field, message) => {
    expect(entity(input)).toMatchObject({
      ok: false,
      refusal: { code: 'BAD_USER_INPUT', field, message: expect.stringContaining(message) },
    });
  });

  it('keeps its urn in the refusal where that is known', () => {
    const refused = entity({ kind: 'Dataset', key: { namespace: 's3://lake', name: 'orders' }, properties: { x: 1 } });
    expect(refused).toMatchObject({ ok: false, names: { urn: ORDERS }, unknownName: true });
  });
});

describe('a link that a user sends', () => {
  it('is allowed by the kinds of its ends', () => {
    const identity = { kind: 'TAGGED', from: ORDERS, to: 'nucleus:tag:pii' };
    expect(link(identity)).toEqual({ ok: true, value: identity });
    expect(
      link({ kind: 'OWNED_BY', from: ORDERS, to: 'nucleus:owner:ada', properties: { role: 'technical' } }),
    ).toMatchObject({
      ok: true,
      value: { properties: { role: 'technical' } },
    });
    expect(link({ kind: 'ABOUT', from: ISSUE, to: ORDERS }).ok).toBe(true);
    // What Nucleus writes may be tagged too.
    expect(link({ kind: 'TAGGED', from: 'nucleus:endpoint:crm', to: 'nucleus:tag:pii' }).ok).toBe(true);
  });

  it.each([
    ['an unknown kind', { kind: 'LIKES', from: ORDERS, to: ORDERS }, 'kind', 'is no link that Dataset may have'],
    ['a kind of the platform', { kind: 'FEEDS', from: ORDERS, to: 'nucleus:job:a:b' }, 'kind', 'is no link'],
    ['a kind with backticks', { kind: 'TAGGED`]->() //', from: ORDERS, to: 'nucleus:tag:pii' }, 'kind', 'is no link'],
    ['a kind that is none', { kind: 7, from: ORDERS, to: ORDERS }, 'kind', 'must be the kind of a link'],
    [
      'an end of another kind',
      { kind: 'TAGGED', from: ORDERS, to: 'nucleus:owner:ada' },
      'to',
      'is of kind Owner, where TAGGED points to Tag',
    ],
    ['an end that is no urn', { kind: 'TAGGED', from: ORDERS, to: 'pii' }, 'to', 'is no urn'],
    ['a missing end', { kind: 'TAGGED', from: ORDERS }, 'to', 'must be a urn, got nothing'],
    [
      'a property that it has not',
      { kind: 'TAGGED', from: ORDERS, to: 'nucleus:tag:pii', properties: { a: 1 } },
      'properties.a',
      'names no property of link TAGGED',
    ],
  ])('is refused for %s', (_, input, field, message) => {
    expect(link(input)).toMatchObject({ ok: false, refusal: { field, message: expect.stringContaining(message) } });
  });
});

describe('whatever a user sends', () => {
  /** Any UTF-16 units, halves of surrogate pairs too. */
  const texts = fc.array(fc.nat(0xffff), { maxLength: 10 }).map((units) => String.fromCharCode(...units));
  const urns = fc.constantFrom(ORDERS, ISSUE, 'nucleus:tag:pii', 'nucleus:endpoint:x', 'nucleus:tag:`', 'x');
  const anything = fc.oneof(fc.anything({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 3 }), texts, urns);
  const properties = fc.dictionary(fc.oneof(texts, fc.constantFrom('rowCount', 'summary', '`', '__proto__')), anything);
  const items = fc.oneof(
    anything,
    fc.record(
      {
        urn: fc.oneof(urns, anything),
        kind: anything,
        key: fc.oneof(anything, properties),
        name: anything,
        properties: fc.oneof(properties, anything),
        ifVersion: anything,
      },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        kind: fc.oneof(fc.constantFrom('TAGGED', 'ABOUT', 'FEEDS'), anything),
        from: fc.oneof(urns, anything),
        to: fc.oneof(urns, anything),
        properties: fc.oneof(properties, anything),
      },
      { requiredKeys: [] },
    ),
  );

  it('is refused with a field and a rule, or has only names that are allowed', () => {
    fc.assert(
      fc.property(items, (item) => {
        const checks = [
          entity(item),
          link(item),
          checkReference(item as never, catalog),
          checkLinkReference(item as never, catalog),
        ];
        for (const checked of checks) {
          if (!checked.ok) {
            expect(checked.refusal.message).not.toBe('');
            expect(checked.refusal.field).toMatch(/^[\w.]*$/);
            continue;
          }
          const { urn, from, kind, properties = {} } = checked.value as Written;
          parseUrn(urn ?? from ?? '');
          if (kind !== undefined) expect(isAllowedName(kind)).toBe(true);
          for (const name of Object.keys(properties)) expect(name).toMatch(PROPERTY_NAME_PATTERN);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** What may come out of any of the checks. */
interface Written {
  readonly urn?: string;
  readonly from?: string;
  readonly kind?: string;
  readonly properties?: object;
}

function isAllowedName(name: string): boolean {
  return (
    KIND_NAME_PATTERN.test(name) || LINK_KIND_PATTERN.test(name) || (EDGE_KINDS as readonly string[]).includes(name)
  );
}

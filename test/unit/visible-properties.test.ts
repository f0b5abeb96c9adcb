import { describe, expect, it } from 'vitest';
import { BUILT_IN_KINDS, COMMON_LINKS, KindCatalog, RESERVED_PROPERTIES } from '#graph-schema';
import { type ChangeItem, visibleItem } from '#graph-store';
import { declaredOfNode, isDeclared, visibleProperties } from '../../graph-store/visible-properties.js';

const catalog = new KindCatalog([
  {
    name: 'Screen',
    origin: 'CUSTOM',
    description: 'A page.',
    urnKind: 'screen',
    keyParts: ['id'],
    properties: { body: { type: 'JSON' } },
    links: [...COMMON_LINKS, { kind: 'ABOUT', to: ['*'], properties: { where: { type: 'JSON' } } }],
  },
]);

const item = (fields: Partial<ChangeItem>): ChangeItem => ({
  operation: 'updated',
  urn: 'nucleus:screen:1',
  kind: 'Screen',
  version: 2,
  before: {},
  after: {},
  previous: null,
  ...fields,
});

describe('the properties that generic reads show', () => {
  it('leave out what is hidden, of every kind that hides anything', () => {
    const hiding = BUILT_IN_KINDS.flatMap((kind) =>
      Object.keys(kind.properties).flatMap((name) => (kind.properties[name]?.hidden ? [{ kind, name }] : [])),
    );
    expect(hiding).not.toEqual([]);
    for (const { kind, name } of hiding) {
      expect(visibleProperties({ [name]: 'secret', id: 'x' }, declaredOfNode(kind.name, catalog))).toEqual({ id: 'x' });
      const change = item({
        urn: `nucleus:${kind.urnKind}:x`,
        kind: kind.name,
        before: { [name]: 'a' },
        after: { [name]: 'b', id: 'x' },
      });
      expect(visibleItem(change, catalog)).toMatchObject({ before: {}, after: { id: 'x' } });
    }
  });

  it('leave out what the store keeps for itself', () => {
    const kept = Object.fromEntries(RESERVED_PROPERTIES.map((name) => [name, 1]));
    expect(visibleProperties({ ...kept, own: 1 }, {})).toEqual({ own: 1 });
    // A new caption and a deletion are news.
    expect(visibleItem(item({ after: { ...kept, own: 1 } }), catalog).after).toEqual({ name: 1, deletedAt: 1, own: 1 });
  });

  it('hold JSON as the value that it stands for, of nodes and of links', () => {
    expect(visibleProperties({ body: '{"a":[1]}' }, declaredOfNode('Screen', catalog))).toEqual({ body: { a: [1] } });
    expect(visibleProperties({ body: 'no json' }, declaredOfNode('Screen', catalog))).toEqual({ body: 'no json' });
    const link = item({ kind: 'ABOUT', to: 'nucleus:tag:x', before: { where: null }, after: { where: '[1]' } });
    expect(visibleItem(link, catalog)).toMatchObject({ before: { where: null }, after: { where: [1] } });
  });
});

describe('a copy of the kinds', () => {
  it('is too old for what it does not declare', () => {
    expect(isDeclared({ urn: 'nucleus:screen:1', names: ['body', 'id', 'name'] }, catalog)).toBe(true);
    expect(isDeclared({ urn: 'nucleus:screen:1', names: ['title'] }, catalog)).toBe(false);
    expect(isDeclared({ urn: 'nucleus:screen:1', names: ['why'], edge: 'ABOUT' }, catalog)).toBe(false);
    expect(isDeclared({ urn: 'nucleus:other:1', names: [] }, catalog)).toBe(false);
    // Nucleus itself writes more than its kinds declare.
    expect(isDeclared({ urn: 'nucleus:endpoint:1', names: ['anything'] }, catalog)).toBe(true);
  });
});

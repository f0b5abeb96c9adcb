import { describe, expect, it } from 'vitest';
import {
  createEdges,
  EDGE_KINDS,
  type EdgeKind,
  ENTITY_LABELS,
  type EntityKind,
  readHeld,
  updateEdges,
  updateEntities,
} from '#graph-schema';

const readEdges = (kind: EdgeKind) => readHeld(true, [kind]);

const FOREIGN = ['evil', 'Evil thing', 'Dataset`) DETACH DELETE n //', 'constructor', 'toString', '__proto__', ''];

describe('labels and relationship types in Cypher', () => {
  it.each(Object.keys(ENTITY_LABELS) as EntityKind[])('are those of the list for a %s', (kind) => {
    const labels = [...updateEntities(kind).matchAll(/n:([A-Za-z:]+)$/gm)].flatMap(([, found]) => found?.split(':'));
    expect(labels).toEqual([...ENTITY_LABELS[kind]]);
  });

  it.each(EDGE_KINDS)('are those of the list for %s', (kind) => {
    for (const statement of [readEdges(kind), createEdges(kind)]) {
      expect([...statement.matchAll(/\[r:([^\]]+)\]/g)].map(([, type]) => type)).toEqual([kind]);
    }
  });

  it.each(FOREIGN)('are never made from the text %j', (text) => {
    expect(() => updateEntities(text as EntityKind)).toThrow(TypeError);
    for (const statement of [readEdges, createEdges, updateEdges]) {
      expect(() => statement(text as EdgeKind)).toThrow(TypeError);
    }
  });
});

import { readFile } from 'node:fs/promises';
import {
  buildSchema,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
  parse,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { SDL_FILES } from '#graph-schema';
import * as endpointTypes from '../../client/endpoint-types.js';
import * as lineageTypes from '../../client/lineage-types.js';
import { OPERATIONS } from '../../client/operations.js';
import * as schemaTypes from '../../client/schema-types.js';

const schema = buildSchema((await Promise.all(SDL_FILES.map((file) => readFile(file, 'utf8')))).join('\n'));
const sources = ['schema-types.ts', 'lineage-types.ts', 'endpoint-types.ts'].map((file) =>
  readFile(new URL(`../../client/${file}`, import.meta.url), 'utf8'),
);
const source = (await Promise.all(sources)).join('\n');

interface Field {
  readonly mayBeNull: boolean;
  readonly mayBeLeftOut: boolean;
}

/** Fields of the interfaces in the files of types, by the name of the interface. Each field stands on a line of its own. */
const interfaces = new Map<string, Map<string, Field>>(
  [...source.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => [
    name,
    new Map(
      [...body.matchAll(/^ {2}readonly (\w+)(\??): (.*);$/gm)].map(([, field = '', optional, type = '']) => [
        field,
        { mayBeNull: /\| null\b/.test(type), mayBeLeftOut: optional === '?' },
      ]),
    ),
  ]),
);

describe('an operation of the client', () => {
  it.each(Object.entries(OPERATIONS))('%s is valid by the SDL', (_, document) => {
    expect(validate(schema, parse(document))).toEqual([]);
  });

  it.each(Object.entries(OPERATIONS))('%s selects just the fields that its TypeScript types have', (_, document) => {
    const types = new TypeInfo(schema);
    const checked: string[] = [];
    visit(
      parse(document),
      visitWithTypeInfo(types, {
        SelectionSet: {
          enter: (node) => {
            const name = getNamedType(types.getParentType() as GraphQLOutputType | undefined)?.name ?? '';
            const fields = interfaces.get(name);
            if (fields === undefined) return;
            const selected = node.selections.map((selection) => 'name' in selection && selection.name.value);
            // The links of an entity are a list of their own; no entity is shown with them.
            if (selected.join() === 'links') return;
            expect(selected.toSorted(), name).toEqual([...fields.keys()].toSorted());
            checked.push(name);
          },
        },
      }),
    );
    expect(checked).not.toEqual([]);
  });
});

describe('a TypeScript type of the client', () => {
  it.each([...interfaces])('%s says of null what the SDL says', (name, fields) => {
    const type = schema.getType(name);
    if (isInputObjectType(type)) {
      const declared = Object.values(type.getFields());
      expect([...fields.keys()].toSorted()).toEqual(declared.map((field) => field.name).toSorted());
      for (const { name: field, type: of } of declared) {
        expect(fields.get(field), field).toEqual({ mayBeNull: !isNonNullType(of), mayBeLeftOut: !isNonNullType(of) });
      }
      return;
    }
    if (!isObjectType(type)) throw new Error(`the SDL has no type ${name}`);
    for (const [field, { mayBeNull }] of fields) {
      const declared = type.getFields()[field];
      if (declared === undefined) throw new Error(`${name} has no field ${field}`);
      expect(mayBeNull, field).toBe(!isNonNullType(declared.type));
    }
  });

  it('has the values of each enum', () => {
    const sets = Object.values({ ...schemaTypes, ...lineageTypes, ...endpointTypes }).map((values) =>
      [...values].toSorted().join(),
    );
    const used = Object.values(schema.getTypeMap())
      .filter(isEnumType)
      .filter(({ name }) => new RegExp(`^export type ${name} =`, 'm').test(source));
    expect(used).toHaveLength(sets.length);
    for (const type of used) {
      const values = type.getValues().map(({ name }) => name);
      expect(sets, type.name).toContain(values.toSorted().join());
    }
  });
});

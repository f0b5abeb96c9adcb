import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isUnionType,
  type OperationTypeNode,
} from 'graphql';
import type { Chooser } from './chooser.js';
import { hostileJson, hostileNumber, hostileObject, hostileText, type KnownNames } from './hostile-values.js';

type Field = GraphQLField<unknown, unknown>;

/** What a client sends. */
export interface Operation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
}

const MAX_DEPTH = 7;
/** One in so many decisions breaks a rule of GraphQL: operations of which most are sound reach further into the server. */
const BREAK_ONCE_IN = 60;

/**
 * An operation over the whole schema: fields, arguments, fragments and variables at will, sound or nearly so.
 */
export function hostileOperation(
  schema: GraphQLSchema,
  type: OperationTypeNode,
  choose: Chooser,
  known: KnownNames,
): Operation {
  return new OperationBuilder(schema, choose, known).build(type);
}

class OperationBuilder {
  readonly #schema: GraphQLSchema;
  readonly #choose: Chooser;
  readonly #known: KnownNames;
  readonly #definitions: string[] = [];
  readonly #fragments: string[] = [];
  readonly #variables: Record<string, unknown> = {};
  #names = 0;

  constructor(schema: GraphQLSchema, choose: Chooser, known: KnownNames) {
    this.#schema = schema;
    this.#choose = choose;
    this.#known = known;
  }

  build(type: OperationTypeNode): Operation {
    const root = this.#schema.getRootType(type);
    if (root == null) throw new TypeError(`the schema has no ${type}`);
    const body = this.#selections(root, 0);
    const variables = this.#definitions.length === 0 ? '' : `(${this.#definitions.join(', ')})`;
    const query = [`${type} Fuzz${variables} ${body}`, ...this.#fragments].join('\n');
    const operationName = this.#broken() ? { operationName: hostileText(this.#choose, this.#known) } : {};
    return { query: this.#broken() ? this.#torn(query) : query, variables: this.#variables, ...operationName };
  }

  #broken(): boolean {
    return this.#choose.rarely(BREAK_ONCE_IN);
  }

  /** The text cut off somewhere, or with something foreign in it. */
  #torn(text: string): string {
    const at = this.#choose.upTo(text.length);
    const foreign = this.#choose.one(['', '}', '{', '"', '"""', '...', '$', '@skip(if: 3)', '\u0000', '\ud800', ' # ']);
    return this.#choose.upTo(2) === 0 ? text.slice(0, at) : `${text.slice(0, at)}${foreign}${text.slice(at)}`;
  }

  #name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  #selections(type: GraphQLCompositeType, depth: number): string {
    if (this.#broken()) return this.#choose.one(['{ }', '', '{ nothing }', '{ __typename { a } }', '{ ...Nowhere }']);
    const count = 1 + this.#choose.upTo(depth === 0 ? 2 : 4);
    const parts = Array.from({ length: count }, () => this.#selection(type, depth));
    return `{ ${parts.join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    if (isAbstractType(type) && this.#choose.upTo(2) === 1) {
      const possible = this.#choose.one(this.#schema.getPossibleTypes(type));
      return `... on ${possible.name} ${this.#selections(possible, depth + 1)}`;
    }
    if (depth < MAX_DEPTH && this.#choose.rarely(12)) return this.#fragment(type, depth);
    const fields = isUnionType(type) ? [] : Object.values(type.getFields());
    const ends = fields.filter((field) => !isCompositeType(getNamedType(field.type)));
    const candidates = depth >= MAX_DEPTH ? ends : fields;
    if (candidates.length === 0 || this.#choose.rarely(20)) return `${this.#alias(fields)}__typename`;
    return this.#field(this.#choose.one(candidates), fields, depth);
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    if (this.#choose.upTo(2) === 0) return `... ${this.#directive()} ${this.#selections(type, depth + 1)}`;
    const name = this.#name('F');
    const body = this.#broken() ? `{ ...${name} }` : this.#selections(type, depth + 1);
    this.#fragments.push(`fragment ${name} on ${this.#broken() ? 'String' : type.name} ${body}`);
    return `...${name}`;
  }

  #field(field: Field, siblings: readonly Field[], depth: number): string {
    const given = field.args.filter((argument) => this.#isGiven(argument));
    const args = given.map((argument) => `${argument.name}: ${this.#argument(argument)}`);
    const type = getNamedType(field.type);
    const below = isCompositeType(type) ? this.#selections(type, depth + 1) : '';
    // Without an alias two uses of one field with other arguments would not merge, but in different places they may.
    const alias = args.length > 0 && !this.#choose.rarely(15) ? `${this.#name('a')}: ` : this.#alias(siblings);
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''} ${this.#directive()}${below}`;
  }

  /** A name of its own, or that of another field: what does not merge is refused, and all else must be answered. */
  #alias(siblings: readonly Field[]): string {
    if (siblings.length > 0 && this.#choose.rarely(25)) return `${this.#choose.one(siblings).name}: `;
    return this.#choose.rarely(8) ? `${this.#name('a')}: ` : '';
  }

  #directive(): string {
    if (!this.#choose.rarely(15)) return '';
    return this.#broken()
      ? this.#choose.one(['@include(if: $nothing) ', '@nothing ', '@skip '])
      : this.#choose.one(['@include(if: true) ', '@skip(if: false) ']);
  }

  #isGiven(input: GraphQLArgument | GraphQLInputField): boolean {
    if (isNonNullType(input.type) && input.defaultValue === undefined) return !this.#broken();
    // A cursor that is none, as most here are, ends what could have gone on.
    return this.#choose.upTo(input.name === 'after' ? 6 : 3) === 1;
  }

  /** Half of the arguments are variables, whose values can be what no literal can. */
  #argument({ type }: GraphQLArgument): string {
    if (this.#choose.upTo(2) === 0) return literal(this.#value(type, 0));
    const name = this.#name('v');
    this.#definitions.push(`$${name}: ${this.#broken() ? 'Int' : type}`);
    if (!this.#broken()) this.#variables[name] = unwrapped(this.#value(type, 0));
    return `$${name}`;
  }

  #value(type: GraphQLInputType, depth: number): unknown {
    if (this.#broken()) return hostileJson(this.#choose, this.#known);
    if (isNonNullType(type)) return this.#value(type.ofType, depth);
    if (this.#choose.rarely(25)) return null;
    if (isListType(type)) {
      const length = this.#choose.rarely(30) ? 600 : this.#choose.upTo(4);
      const one = this.#value(type.ofType, depth + 1);
      return Array.from({ length }, (_, index) => (index < 4 ? this.#value(type.ofType, depth + 1) : one));
    }
    if (isEnumType(type)) return new EnumName(this.#choose.one(type.getValues()).name);
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) => depth < 5 && this.#isGiven(field));
      return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type, depth + 1)]));
    }
    return this.#scalar(type.name);
  }

  #scalar(name: string): unknown {
    switch (name) {
      case 'Int':
        return this.#choose.upTo(4) === 0 ? hostileNumber(this.#choose) : this.#choose.upTo(20);
      case 'Float':
      case 'BigInt':
        return hostileNumber(this.#choose);
      case 'Boolean':
        return this.#choose.upTo(2) === 1;
      case 'JSONObject':
        return hostileObject(this.#choose, this.#known);
      case 'DateTime':
        return this.#choose.one([
          '2026-01-31T08:00:00Z',
          '2026-01-31',
          '-000001-01-01T00:00:00Z',
          '9999-12-31T23:59:59Z',
        ]);
      default:
        return hostileText(this.#choose, this.#known);
    }
  }
}

/** A name that stands without quotes in a literal and with them in a variable. */
class EnumName {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

function unwrapped(value: unknown): unknown {
  if (value instanceof EnumName) return value.name;
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, unwrapped(member)]));
}

/** The value in the syntax of GraphQL; names of members that it cannot spell are left out. */
function literal(value: unknown): string {
  if (value instanceof EnumName) return value.name;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([name]) => /^[A-Za-z_]\w*$/.test(name));
  return `{${members.map(([name, member]) => `${name}: ${literal(member)}`).join(', ')}}`;
}

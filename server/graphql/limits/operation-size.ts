import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import { filterTermsOf } from './filter-terms.js';
import { answersOf, type ListSizes, listSizesOf, NO_LIST_SIZES } from './page-size.js';

/** How large an operation is, fragments unfolded. */
export interface OperationSize {
  readonly depth: number;
  readonly rootFields: number;
  readonly aliases: number;
  readonly directives: number;
  /** Conditions and sort keys of generated reads. */
  readonly filterTerms: number;
  /** Fields that the answer may hold, at most. */
  readonly cost: number;
}

const NOTHING: OperationSize = { depth: 0, rootFields: 0, aliases: 0, directives: 0, filterTerms: 0, cost: 0 };

/** What one look at the schema counts for; each alias inside of it may repeat all of the answer. */
const INTROSPECTION_COST = 1_000;

/**
 * Measures an operation before it is validated: whatever is wrong with the document is passed over here. Each fragment is measured
 * once, so that fragments which spread each other twice, and are of exponential size, take no exponential time.
 */
export function measureOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): OperationSize {
  const root = schema.getRootType(operation.operation) ?? undefined;
  const size = new Measurement(schema, document, withDefaults(operation, variables)).selections(
    operation.selectionSet,
    root,
  );
  return { ...size, directives: size.directives + (operation.directives?.length ?? 0) };
}

function withDefaults(
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const defaults = operation.variableDefinitions?.flatMap(({ variable, defaultValue }) =>
    defaultValue === undefined ? [] : [[variable.name.value, valueFromASTUntyped(defaultValue)] as const],
  );
  return { ...Object.fromEntries(defaults ?? []), ...variables };
}

class Measurement {
  readonly #schema: GraphQLSchema;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #measured = new Map<string, OperationSize>();

  constructor(schema: GraphQLSchema, document: DocumentNode, variables: Readonly<Record<string, unknown>>) {
    this.#schema = schema;
    this.#variables = variables;
    this.#fragments = new Map(
      document.definitions.flatMap((definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
      ),
    );
  }

  /**
   * @param parent undefined where the document names a field or type that does not exist
   * @param lists of a field above
   */
  selections(
    { selections }: SelectionSetNode,
    parent: GraphQLNamedType | undefined,
    lists: ListSizes = NO_LIST_SIZES,
  ): OperationSize {
    let total = NOTHING;
    for (const selection of selections) {
      const size = this.#selection(selection, parent, lists);
      total = {
        depth: Math.max(total.depth, size.depth),
        rootFields: total.rootFields + size.rootFields,
        aliases: total.aliases + size.aliases,
        directives: total.directives + size.directives + (selection.directives?.length ?? 0),
        filterTerms: total.filterTerms + size.filterTerms,
        cost: total.cost + size.cost,
      };
    }
    return total;
  }

  #selection(node: SelectionNode, parent: GraphQLNamedType | undefined, lists: ListSizes): OperationSize {
    switch (node.kind) {
      case Kind.FIELD:
        return this.#field(node, parent, lists);
      case Kind.FRAGMENT_SPREAD:
        return this.#fragment(node.name.value, lists);
      case Kind.INLINE_FRAGMENT:
        return this.selections(node.selectionSet, this.#type(node.typeCondition?.name.value) ?? parent, lists);
    }
  }

  #field(node: FieldNode, parent: GraphQLNamedType | undefined, lists: ListSizes): OperationSize {
    const field = fieldOf(parent, node.name.value);
    const listed = lists.get(node.name.value);
    const own = field && listSizesOf(node, field, this.#variables);
    // What lies within one entry of such a list is sized anew.
    const inside = own ?? (listed === undefined ? lists : NO_LIST_SIZES);
    const below =
      node.selectionSet === undefined
        ? NOTHING
        : this.selections(node.selectionSet, field && getNamedType(field.type), inside);
    const size = {
      rootFields: 1,
      aliases: below.aliases + (node.alias === undefined ? 0 : 1),
      directives: below.directives,
      filterTerms: below.filterTerms + filterTermsOf(node, this.#variables),
    };
    if (node.name.value.startsWith('__')) {
      // graphql-js has a rule of its own for the depth of these; the usual tools ask for 13 levels of them.
      const cost = node.selectionSet === undefined ? 1 : INTROSPECTION_COST * (1 + below.aliases);
      return { ...size, depth: 1, cost };
    }
    // Sizes of lists further down leave nothing to multiply here.
    const answers = listed ?? (field === undefined || own ? 1 : answersOf(node, field, this.#variables));
    return { ...size, depth: 1 + below.depth, cost: 1 + answers * below.cost };
  }

  #fragment(name: string, lists: ListSizes): OperationSize {
    const key = JSON.stringify([name, ...lists]);
    const known = this.#measured.get(key);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    // A fragment within itself counts for nothing: validation refuses it.
    this.#measured.set(key, NOTHING);
    if (fragment === undefined) return NOTHING;
    const size = this.selections(fragment.selectionSet, this.#type(fragment.typeCondition.name.value), lists);
    this.#measured.set(key, size);
    return size;
  }

  #type(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : this.#schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  }
}

function fieldOf(parent: GraphQLNamedType | undefined, name: string): GraphQLField<unknown, unknown> | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}

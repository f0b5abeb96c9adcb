import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLFormattedError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { boundedStream } from '../events/bounded-stream.js';

/** The argument that tells where a subscription starts. What an event looks like does not depend on it. */
const CURSOR_ARGUMENT = 'after';

/**
 * Subscriptions whose operations differ at most in their cursor share the execution of each event and its JSON text. They
 * have the same document, operation name and variables, and the same context: what stands for the authority of the caller.
 */
export class SharedExecutions {
  readonly #formatError: (error: GraphQLError) => GraphQLFormattedError;
  readonly #operations = new WeakMap<object, Map<string, SharedOperation>>();

  constructor(options: { formatError: (error: GraphQLError) => GraphQLFormattedError }) {
    this.#formatError = options.formatError;
  }

  /** As `subscribe` of graphql-js. A subscription that is refused is a stream that fails at once. */
  async subscribe(args: ExecutionArgs): Promise<AsyncGenerator<Buffer, void, void>> {
    const { key, isResumable } = facts(args);
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return failed(source);
    // Streams of ours bound themselves; those of libraries queue as much as comes.
    const events = isResumable ? source : boundedStream(source);
    return this.#join(args, key).payloads(events as AsyncGenerator<object, void, void>);
  }

  #join(args: ExecutionArgs, key: string): SharedOperation {
    const context = args.contextValue as object;
    const operations = this.#operations.get(context) ?? new Map<string, SharedOperation>();
    this.#operations.set(context, operations);
    const known = operations.get(key);
    if (known !== undefined) return known;
    const operation = new SharedOperation(args, this.#formatError, () => operations.delete(key));
    operations.set(key, operation);
    return operation;
  }
}

/** One operation, executed and serialised once for each event however many have subscribed to it. */
class SharedOperation {
  readonly #args: ExecutionArgs;
  readonly #formatError: (error: GraphQLError) => GraphQLFormattedError;
  readonly #onEmpty: () => void;
  readonly #payloads = new WeakMap<object, Promise<Buffer>>();
  #subscribers = 0;

  constructor(args: ExecutionArgs, formatError: (error: GraphQLError) => GraphQLFormattedError, onEmpty: () => void) {
    this.#args = args;
    this.#formatError = formatError;
    this.#onEmpty = onEmpty;
  }

  payloads(events: AsyncGenerator<object, void, void>): AsyncGenerator<Buffer, void, void> {
    this.#subscribers += 1;
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      this.#subscribers -= 1;
      if (this.#subscribers === 0) this.#onEmpty();
    };
    const stream: AsyncGenerator<Buffer, void, void> = {
      next: async () => {
        try {
          const { value, done } = await events.next();
          if (!done) return { value: await this.#payload(value), done: false };
        } catch (error) {
          leave();
          throw error;
        }
        leave();
        return { value: undefined, done: true };
      },
      return: async () => {
        leave();
        await events.return();
        return { value: undefined, done: true };
      },
      throw: async (error) => {
        leave();
        await events.return();
        throw error;
      },
      [Symbol.asyncIterator]: () => stream,
      [Symbol.asyncDispose]: async () => {
        await stream.return();
      },
    };
    return stream;
  }

  #payload(event: object): Promise<Buffer> {
    const known = this.#payloads.get(event);
    if (known !== undefined) return known;
    const payload = this.#execute(event);
    this.#payloads.set(event, payload);
    return payload;
  }

  async #execute(event: object): Promise<Buffer> {
    const { errors, ...rest } = await execute({ ...this.#args, rootValue: event });
    return Buffer.from(
      JSON.stringify(errors === undefined ? rest : { ...rest, errors: errors.map(this.#formatError) }),
    );
  }
}

async function* failed({ errors = [] }: ExecutionResult): AsyncGenerator<Buffer, void, void> {
  yield Promise.reject(errors[0] ?? new TypeError('a subscription was refused without an error'));
}

interface OperationFacts {
  /** Equal for operations whose events look the same. */
  readonly key: string;
  readonly isResumable: boolean;
}

function facts(args: ExecutionArgs): OperationFacts {
  const { document, operationName, variableValues, schema } = args;
  const operation = getOperationAST(document, operationName);
  const known = schema.getSubscriptionType()?.getFields() ?? {};
  const isResumable =
    operation != null &&
    rootFields(document, operation.selectionSet).every((field) =>
      known[field.name.value]?.args.some(({ name }) => name === CURSOR_ARGUMENT),
    );
  const { text, cursorVariable } = operation
    ? withoutCursor(document, operation)
    : { text: print(document), cursorVariable: undefined };
  const variables = Object.entries(variableValues ?? {}).filter(([name]) => name !== cursorVariable);
  return { key: JSON.stringify([text, operationName ?? null, variables.sort()]), isResumable };
}

/** The fields of a validated operation itself, fragments unfolded. */
function rootFields(document: DocumentNode, { selections }: SelectionSetNode): FieldNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) return rootFields(document, selection.selectionSet);
    const fragment = document.definitions.find(
      (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === selection.name.value,
    ) as FragmentDefinitionNode | undefined;
    return fragment === undefined ? [] : rootFields(document, fragment.selectionSet);
  });
}

interface CursorFree {
  readonly text: string;
  /** The variable that holds the cursor and nothing else. */
  readonly cursorVariable: string | undefined;
}

const CURSOR_FREE = new WeakMap<OperationDefinitionNode, CursorFree>();

function withoutCursor(document: DocumentNode, operation: OperationDefinitionNode): CursorFree {
  const known = CURSOR_FREE.get(operation);
  if (known !== undefined) return known;
  let cursorVariable: string | undefined;
  const fields = new Set(rootFields(document, operation.selectionSet));
  const stripped: DocumentNode = visit(document, {
    enter: (field) => {
      if (field.kind !== Kind.FIELD || !fields.has(field)) return undefined;
      const cursor = field.arguments?.find(({ name }) => name.value === CURSOR_ARGUMENT);
      if (cursor?.value.kind === Kind.VARIABLE) cursorVariable = cursor.value.name.value;
      return { ...field, arguments: field.arguments?.filter((argument) => argument !== cursor) };
    },
  });
  visit(stripped, {
    Variable: ({ name }, _key, parent) => {
      const isDeclared = parent !== undefined && 'kind' in parent && parent.kind === Kind.VARIABLE_DEFINITION;
      if (!isDeclared && name.value === cursorVariable) cursorVariable = undefined;
    },
  });
  const free = { text: print(stripped), cursorVariable };
  CURSOR_FREE.set(operation, free);
  return free;
}

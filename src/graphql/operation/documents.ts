/**
 * Texts → operations that are ready to run: parsed within the limits, validated, and remembered.
 *
 * The memory is bounded by what parsed documents weigh, and holds no text above a size: agents
 * that write values into their documents instead of variables must not fill it.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  type ValidatedExecutionArgs,
  type ValidationRule,
  type VariableValues,
  validate,
  validateExecutionArgs,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { ErrorCode } from '../../domain/errors.ts';
import { fieldOfObject, shortened, withCode } from '../errors.ts';
import type { Scope } from '../viewer.ts';
import { compileVariables } from './coerce.ts';
import type { MeasuredCost } from './cost.ts';
import { literalField } from './error-field.ts';
import type { Limits } from './limits.ts';
import { scopesOf } from './scopes.ts';

export type OperationType = 'query' | 'mutation' | 'subscription';

/** One operation of a document, with what can be known before its variables are. */
export interface Operation {
  type: OperationType;
  node: OperationDefinitionNode;
  document: DocumentNode;
  fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  scopes: ReadonlySet<Scope>;
  /** Tells this operation from every other text. */
  key: string;
  /** Everything that graphql-js's executor needs, but variables and context. */
  template: ValidatedExecutionArgs;
  coerceVariables: (raw: Readonly<Record<string, unknown>>) => VariableValues | null;
  /** Once measured, where it does not vary. */
  cost: MeasuredCost | null;
}

/** Either an operation, or why there is none. */
export type Prepared =
  | { operation: Operation; errors: null }
  | { operation: null; errors: readonly [GraphQLError, ...GraphQLError[]] };

/** The memory of all remembered documents, with what is prepared from them. */
const REMEMBERED_BYTES_MAX = 32 * 1_024 * 1_024;
/** A token, its node and its share of what is prepared: measured, some 450 bytes. */
const TOKEN_BYTES = 512;
const ENTRY_BYTES = 4_096;
/** Longer texts hold values of their own, so they are rarely sent twice. */
const REMEMBERED_LENGTH_MAX = 8_192;

interface Entry {
  document: DocumentNode;
  operations: Map<string, Operation>;
}

export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #limits: Limits;
  readonly #rules: readonly ValidationRule[];
  readonly #entries = new LRUCache<string, Entry>({
    maxSize: REMEMBERED_BYTES_MAX,
    sizeCalculation: ({ document }, source) =>
      ENTRY_BYTES + 2 * source.length + TOKEN_BYTES * (document.tokenCount ?? source.length),
  });

  constructor(schema: GraphQLSchema, limits: Limits) {
    this.#schema = schema;
    this.#limits = limits;
    this.#rules = [...specifiedRules, aliasRule(limits.aliases)];
  }

  /** `operationName` null: the only operation of the document. */
  prepare(source: string, operationName: string | null): Prepared {
    const entry = this.#entries.get(source) ?? this.#read(source);
    if ('errors' in entry) return { operation: null, errors: entry.errors };
    const name = operationName ?? '';
    const known = entry.operations.get(name);
    if (known !== undefined) return { operation: known, errors: null };
    const prepared = this.#select(source, entry.document, operationName);
    if (prepared.operation !== null) entry.operations.set(name, prepared.operation);
    return prepared;
  }

  #read(source: string): Entry | { errors: readonly [GraphQLError, ...GraphQLError[]] } {
    const document = this.#parse(source);
    if (document instanceof GraphQLError) return { errors: [document] };
    const [first, ...others] = validate(this.#schema, document, this.#rules, {
      maxErrors: this.#limits.errors,
      hideSuggestions: this.#limits.hideSuggestions,
    }).map((error) => ('code' in error.extensions ? error : invalid(document, error)));
    if (first !== undefined) return { errors: [first, ...others] };
    const entry: Entry = { document, operations: new Map() };
    if (source.length <= REMEMBERED_LENGTH_MAX) this.#entries.set(source, entry);
    return entry;
  }

  #parse(source: string): DocumentNode | GraphQLError {
    const { sourceLength, tokens } = this.#limits;
    if (source.length > sourceLength) {
      return refusal(
        'QUERY_TOO_COMPLEX',
        `the document is longer than ${sourceLength} characters: send values as variables`,
      );
    }
    try {
      return parse(source, { maxLexicalTokens: tokens });
    } catch (error) {
      if (error instanceof RangeError) {
        return refusal('QUERY_TOO_COMPLEX', 'the document is nested too deeply');
      }
      if (!(error instanceof GraphQLError)) throw error;
      const tooLong = error.message.includes('tokens. Parsing aborted');
      return withCode(error, tooLong ? 'QUERY_TOO_COMPLEX' : 'GRAPHQL_PARSE_FAILED');
    }
  }

  #select(source: string, document: DocumentNode, operationName: string | null): Prepared {
    const operations = document.definitions.filter(
      (definition) => definition.kind === 'OperationDefinition',
    );
    const node =
      operationName !== null
        ? operations.find(({ name }) => name?.value === operationName)
        : operations.length === 1
          ? operations[0]
          : undefined;
    if (node === undefined) {
      const message =
        operationName !== null
          ? `Unknown operation named "${operationName}".`
          : operations.length === 0
            ? 'Must provide an operation.'
            : 'Must provide operation name if query contains multiple operations.';
      return { operation: null, errors: [refusal('GRAPHQL_VALIDATION_FAILED', message)] };
    }
    return { operation: this.#operation(source, document, node), errors: null };
  }

  #operation(source: string, document: DocumentNode, node: OperationDefinitionNode): Operation {
    // graphql-js checks everything but the variables, which are not known yet; so it is shown
    // the operation without them.
    const { variableDefinitions: _, ...bare } = node;
    const template = validateExecutionArgs({
      schema: this.#schema,
      document: {
        ...document,
        definitions: [
          bare,
          ...document.definitions.filter(({ kind }) => kind === 'FragmentDefinition'),
        ],
      },
      hideSuggestions: this.#limits.hideSuggestions,
      options: { maxCoercionErrors: this.#limits.errors },
    });
    if (!('operation' in template)) throw template[0] ?? new Error('no operation');
    const fragments = template.fragmentDefinitions;
    return {
      type: node.operation,
      node,
      document,
      fragments,
      scopes: scopesOf(this.#schema, node, fragments),
      key: `${node.name?.value ?? ''}\0${source}`,
      template: { ...template, document, operation: node },
      coerceVariables: compileVariables(this.#schema, node),
      cost: null,
    };
  }
}

/** Says which argument or input field it is about, where it is about a literal. */
function invalid(document: DocumentNode, error: GraphQLError): GraphQLError {
  // graphql-js gives up where comparing fields of one name with each other takes too long.
  if (error.message === 'Validation aborted.') {
    return refusal('QUERY_TOO_COMPLEX', 'the document selects the same fields too many times');
  }
  const [node] = error.nodes ?? [];
  const at = node === undefined ? null : literalField(document, node);
  const message = shortened(error.message);
  if (at === null) return withCode(error, 'GRAPHQL_VALIDATION_FAILED', {}, message);
  // It points to an unknown field itself, but to the object that lacks one.
  const lacking = fieldOfObject(error.message);
  const field = at.endsWith(lacking) ? at : `${at}${lacking}`;
  return withCode(error, 'GRAPHQL_VALIDATION_FAILED', { field }, `${field}: ${message}`);
}

/** An error of a request that has no operation to point into. */
export function refusal(code: ErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

/** At most so many aliases in a document, unused fragments included. */
function aliasRule(max: number): ValidationRule {
  return (context) => {
    let aliases = 0;
    return {
      Field(node) {
        if (node.alias === undefined || ++aliases !== max + 1) return;
        context.reportError(
          new GraphQLError(`the document has more than ${max} aliases`, {
            nodes: node,
            extensions: { code: 'QUERY_TOO_COMPLEX' satisfies ErrorCode },
          }),
        );
      },
    };
  };
}

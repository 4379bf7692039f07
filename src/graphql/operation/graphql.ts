/**
 * The one way into the schema, for every transport: prepare → scopes → variables → cost → run.
 * HTTP, server-sent events and websockets differ only in how they carry texts and results.
 */
import {
  createSourceEventStream,
  type ExecutionResult,
  executeRootSelectionSet,
  executeSubscriptionEvent,
  type GraphQLError,
  type GraphQLSchema,
  type ValidatedExecutionArgs,
  type ValidatedSubscriptionArgs,
  type VariableValues,
  validateExecutionArgs,
} from 'graphql';
import { Context, type Sources } from '../context.ts';
import {
  type ErrorLog,
  requestError,
  shortened,
  toPublic,
  variableField,
  withCode,
} from '../errors.ts';
import { buildSchema } from '../schema.ts';
import { requireScopes, type Viewer } from '../viewer.ts';
import { measureCost } from './cost.ts';
import { Documents, type Operation, type Prepared, refusal } from './documents.ts';
import { ErrorCounts } from './error-counts.ts';
import { checkCost, DEFAULT_LIMITS, type Limits } from './limits.ts';
import { crowdedVariable } from './oversized-input.ts';
import { ResultStream } from './result-stream.ts';
import { SharedResults } from './shared-results.ts';
import { SubscriptionShares } from './subscription-shares.ts';

export interface GraphQLOptions extends Sources {
  log: ErrorLog;
  limits?: Partial<Limits>;
}

/** What an operation runs with. */
export interface OperationRun {
  /** As they were sent, not yet coerced: an object, or nothing. */
  variables?: Readonly<Record<string, unknown>> | null | undefined;
  viewer: Viewer;
  /** Aborts a query's execution; a mutation runs to its end, for its events may be stored. */
  signal?: AbortSignal | undefined;
}

export interface GraphQLServer {
  schema: GraphQLSchema;
  limits: Readonly<Limits>;
  /** Parses, validates and selects, or says what is wrong; remembers texts that are used again. */
  prepare(source: string, operationName?: string | null): Prepared;
  /** Runs a query or a mutation. Never rejects: errors are in the result, with their codes. */
  execute(operation: Operation, run: OperationRun): Promise<ExecutionResult>;
  /**
   * A stream of results, or one result where it could not begin. Never rejects, nor does the
   * stream: what ends it is a last result with `errors` and without data.
   */
  subscribe(operation: Operation, run: OperationRun): Promise<ResultStream | ExecutionResult>;
  /** The JSON text of a result; made once for a result that many subscriptions share. */
  serialize(result: ExecutionResult): string;
  /** Errors that clients were told, by code. */
  metrics(): Record<string, number>;
}

/** Nobody reads it: the client has gone, which is no fault to be logged. */
const ABORTED: ExecutionResult = { errors: [refusal('BAD_REQUEST', 'The request was aborted.')] };

/** Says that what was read is not all that was reported: see docs/reporting.md. */
function withBehind(result: ExecutionResult, events: number): ExecutionResult {
  return events === 0 ? result : { ...result, extensions: { viewsBehind: { events } } };
}

export function isStream(result: ResultStream | ExecutionResult): result is ResultStream {
  return result instanceof ResultStream;
}

export function createGraphQL({ log, limits: changed, ...sources }: GraphQLOptions): GraphQLServer {
  const schema = buildSchema();
  const limits: Limits = { ...DEFAULT_LIMITS, ...changed };
  const documents = new Documents(schema, limits);
  const shared = new SharedResults();
  const shares = new SubscriptionShares(limits.subscriptionsOfToken);

  const errors = new ErrorCounts();
  const refused = (told: readonly GraphQLError[]): ExecutionResult => {
    errors.count(told);
    return { errors: told };
  };
  const failed = (error: unknown): ExecutionResult => refused([requestError(error, log)]);

  function finish(result: ExecutionResult): ExecutionResult {
    if (result.errors === undefined) return result;
    const told = result.errors.map((error) => toPublic(error, log));
    errors.count(told);
    return { ...result, errors: told };
  }

  /** Everything that is decided before the first resolver runs. */
  function begin(
    operation: Operation,
    { variables, viewer, signal }: OperationRun,
  ): ValidatedExecutionArgs | ExecutionResult {
    requireScopes(viewer, operation.scopes);
    const raw = variables ?? {};
    const values = operation.coerceVariables(raw) ?? ordinaryCoercion(operation, raw);
    if (!('coerced' in values)) return refused(values);
    const cost = operation.cost ?? measureCost(schema, operation.node, operation.fragments, values);
    if (!cost.varies) operation.cost = cost;
    checkCost(cost, limits);
    return {
      ...operation.template,
      variableValues: values,
      rawVariableValues: raw,
      contextValue: new Context(sources, viewer),
      externalAbortSignal: operation.type === 'mutation' ? undefined : signal,
    };
  }

  /** graphql-js's own way: for values that are wrong or unusual. */
  function ordinaryCoercion(
    { document, node }: Operation,
    raw: Readonly<Record<string, unknown>>,
  ): VariableValues | GraphQLError[] {
    const crowded = crowdedVariable(node, raw);
    if (crowded !== null) return [crowded];
    const args = validateExecutionArgs({
      schema,
      document,
      variableValues: raw,
      operationName: node.name?.value,
      hideSuggestions: limits.hideSuggestions,
      options: { maxCoercionErrors: limits.errors },
    });
    if ('operation' in args) return args.variableValues;
    return args.map((error) => {
      const field = variableField(error);
      return withCode(
        error,
        'BAD_USER_INPUT',
        field === null ? {} : { field },
        shortened(error.message),
      );
    });
  }

  async function execute(operation: Operation, run: OperationRun): Promise<ExecutionResult> {
    try {
      const args = begin(operation, run);
      if (!('operation' in args)) return args;
      const { reads } = args.contextValue as Context;
      return withBehind(finish(await executeRootSelectionSet(args)), reads.viewsBehind);
    } catch (error) {
      return run.signal?.aborted === true ? ABORTED : failed(error);
    }
  }

  async function subscribe(
    operation: Operation,
    run: OperationRun,
  ): Promise<ResultStream | ExecutionResult> {
    let giveBack = (): void => {};
    try {
      const begun = begin(operation, run);
      if (!('operation' in begun)) return begun;
      giveBack = shares.take(run.viewer.tokenId);
      const args = begun as ValidatedSubscriptionArgs;
      // Only values that the operation declares are in the key: whatever else was sent changes nothing.
      // It is made before the source is opened, for nobody would close that if this failed.
      const key = `${operation.key}\0${JSON.stringify(args.variableValues.coerced)}`;
      const source = await createSourceEventStream(args);
      if (!(Symbol.asyncIterator in source)) {
        giveBack();
        return finish(source);
      }
      const executeEvent = async (event: unknown): Promise<ExecutionResult> =>
        finish(
          await executeSubscriptionEvent({
            ...args,
            rootValue: event,
            contextValue: new Context(sources, run.viewer),
          }),
        );
      return new ResultStream({
        source,
        execute: (event) => shared.of(event, key, () => executeEvent(event)),
        failed,
        onEnd: giveBack,
      });
    } catch (error) {
      giveBack();
      return failed(error);
    }
  }

  function prepare(source: string, operationName?: string | null): Prepared {
    let prepared: Prepared;
    try {
      prepared = documents.prepare(source, operationName || null);
    } catch (error) {
      prepared = { operation: null, errors: [requestError(error, log)] };
    }
    if (prepared.errors !== null) errors.count(prepared.errors);
    return prepared;
  }

  return {
    schema,
    limits,
    prepare,
    execute,
    subscribe,
    serialize: (result) => shared.serialize(result),
    metrics: () => errors.read(),
  };
}

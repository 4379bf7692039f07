/**
 * Variables → values, compiled once per input type. graphql-js walks the type for every value,
 * which costs more than the rest of a batch of events; a closure per type does the same work
 * several times faster.
 *
 * Only what is certainly fine is taken here, with the result that graphql-js would give; besides,
 * what is judged item by item (`item-field.ts`), and numbers as they were sent. Anything else (`undefined` from a coercer, null from `compileVariables`'s function) goes the ordinary way,
 * so that errors, their order and their words are graphql-js's own.
 */
import {
  coerceInputLiteral,
  coerceInputValue,
  GraphQLFloat,
  GraphQLID,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLSchema,
  GraphQLString,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
  type VariableValues,
} from 'graphql';
import { asMeasure, ExactNumber } from '../../domain/event/exact-number.ts';
import { isForItem, isJudgedByItem } from './item-field.ts';

/** The coerced value; undefined where graphql-js must be asked. */
type Coercer = (value: unknown) => unknown;
type Variables = Readonly<Record<string, unknown>>;

const unsure: Coercer = () => undefined;

/** Without a prototype's members, as graphql-js's objects, but with a hidden class: faster. */
const Shape = function Shape() {} as unknown as new () => Record<string, unknown>;
Object.defineProperty(Shape, 'prototype', { value: Object.create(null) });

/** Types can contain themselves, so a coercer is looked up before it is complete. */
const compiled = new WeakMap<GraphQLInputType, Coercer>();

export function compileInput(type: GraphQLInputType): Coercer {
  const known = compiled.get(type);
  if (known !== undefined) return known;
  let coerce = unsure;
  compiled.set(type, (value) => coerce(value));
  coerce = compile(type);
  compiled.set(type, coerce);
  return coerce;
}

function compile(type: GraphQLInputType): Coercer {
  if (isNonNullType(type)) {
    const inner = compileInput(type.ofType);
    return (value) => (value === null || value === undefined ? undefined : inner(value));
  }
  if (isListType(type)) return compileList(compileInput(type.ofType));
  if (isInputObjectType(type)) return compileObject(type);
  return compileLeaf(type as GraphQLLeafType);
}

function compileList(item: Coercer): Coercer {
  return (value) => {
    if (value === null || value === undefined) return null;
    if (!Array.isArray(value)) {
      // A list may be given as its only item; other iterables are no JSON.
      if (typeof value === 'object') return Symbol.iterator in value ? undefined : one(item(value));
      return one(item(value));
    }
    const items = new Array<unknown>(value.length);
    for (let index = 0; index < value.length; index++) {
      const coerced = item(value[index]);
      if (coerced === undefined) return undefined;
      items[index] = coerced;
    }
    return items;
  };
}

function one(coerced: unknown): unknown {
  return coerced === undefined ? undefined : [coerced];
}

function compileObject(type: GraphQLInputObjectType): Coercer {
  const fields = Object.values(type.getFields());
  if (type.isOneOf || fields.some(({ name }) => name in Object.prototype)) return unsure;
  const coercers = new Map(fields.map((field) => [field.name, compileField(field)]));
  const required = fields.filter(isRequiredInputField).map(({ name }) => name);
  const defaults = fields.flatMap((field): [string, unknown][] => {
    const value = defaultOf(field);
    return value === undefined ? [] : [[field.name, value]];
  });
  return (value) => {
    if (value === null || value === undefined) return null;
    if (typeof value !== 'object' || Array.isArray(value)) return undefined;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return undefined;
    const given = value as Record<string, unknown>;
    const coerced = new Shape();
    for (const name of Object.keys(given)) {
      const own = given[name];
      if (own === undefined) continue;
      const result = coercers.get(name)?.(own);
      if (result === undefined) return undefined;
      coerced[name] = result;
    }
    for (const name of required) if (coerced[name] === undefined) return undefined;
    for (const [name, byDefault] of defaults) {
      if (coerced[name] === undefined) coerced[name] = byDefault;
    }
    return coerced;
  };
}

function compileField(field: GraphQLInputField): Coercer {
  const coerce = compileInput(field.type);
  if (!isJudgedByItem(field)) return coerce;
  return (value) => {
    const coerced = coerce(value);
    return coerced === undefined && isForItem(field, value) ? value : coerced;
  };
}

function defaultOf({ default: given, defaultValue, type }: GraphQLInputField): unknown {
  if (given === undefined) return defaultValue;
  return given.literal === undefined
    ? coerceInputValue(given.value, type)
    : coerceInputLiteral(given.literal, type);
}

function compileLeaf(type: GraphQLLeafType): Coercer {
  const textsPass = type === GraphQLString || type === GraphQLID;
  return (value) => {
    if (value === null || value === undefined) return null;
    if (textsPass && typeof value === 'string') return value;
    if (value instanceof ExactNumber) return exact(type, value);
    try {
      return type.coerceInputValue(value);
    } catch {
      return undefined;
    }
  };
}

/** An id keeps its digits; what measures takes the nearest number, where that says the same. */
function exact(type: GraphQLLeafType, number: ExactNumber): unknown {
  if (type === GraphQLID) return number.integer ?? undefined;
  return type === GraphQLFloat ? (asMeasure(number) ?? undefined) : undefined;
}

/** One variable of an operation, ready. */
interface Variable {
  signature: VariableValues['sources'][string]['signature'];
  coerce: Coercer;
  nonNull: boolean;
  /** The default value; undefined: it has none. */
  byDefault: unknown;
}

function variableOf(schema: GraphQLSchema, node: VariableDefinitionNode): Variable | null {
  const type = typeFromAST(schema, node.type);
  if (!isInputType(type)) return null;
  const { defaultValue } = node;
  const byDefault = defaultValue === undefined ? undefined : coerceInputLiteral(defaultValue, type);
  if (defaultValue !== undefined && byDefault === undefined) return null;
  return {
    signature: {
      name: node.variable.name.value,
      type,
      default: defaultValue && { literal: defaultValue },
    },
    coerce: compileInput(type),
    nonNull: isNonNullType(type),
    byDefault,
  };
}

/** For one operation: the values of its variables, or null where graphql-js must be asked. */
export function compileVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
): (raw: Variables) => VariableValues | null {
  const variables: Variable[] = [];
  for (const node of operation.variableDefinitions ?? []) {
    const variable = variableOf(schema, node);
    if (variable === null) return () => null;
    variables.push(variable);
  }
  return (raw) => {
    const sources: Record<string, VariableValues['sources'][string]> = Object.create(null);
    const coerced: Record<string, unknown> = Object.create(null);
    for (const { signature, coerce, nonNull, byDefault } of variables) {
      const { name } = signature;
      const value = Object.hasOwn(raw, name) ? raw[name] : undefined;
      if (value === undefined) {
        sources[name] = { signature };
        if (byDefault !== undefined) coerced[name] = byDefault;
        else if (nonNull) return null;
        continue;
      }
      sources[name] = { signature, value };
      const result = coerce(value);
      if (result === undefined) return null;
      coerced[name] = result;
    }
    return { sources, coerced };
  };
}

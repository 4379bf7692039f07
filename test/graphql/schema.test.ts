/** The schema as a document: complete against the contract, and explained to its readers. */
import { readFileSync } from 'node:fs';
import {
  buildSchema as fromSource,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isObjectType,
  isSpecifiedScalarType,
  print,
  printSchema,
  valueToLiteral,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/graphql/schema.ts';

/** Scalars that can be of any length. */
const LARGE = new Set(['String', 'ID', 'JSONObject']);

const schema = buildSchema();
const target = fromSource(readFileSync(new URL('./target.graphql', import.meta.url), 'utf8'));

/** `Task.runs(first: Int): RunConnection!` and so on, each with its type and default. */
function members(from: GraphQLSchema): Map<string, string> {
  const found = new Map<string, string>();
  for (const type of Object.values(from.getTypeMap())) {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue;
    found.set(type.name, type.constructor.name);
    if (isEnumType(type)) {
      for (const { name } of type.getValues()) found.set(`${type.name}.${name}`, 'value');
    } else if (isObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        found.set(`${type.name}.${field.name}`, String(field.type));
        for (const arg of field.args) {
          found.set(`${type.name}.${field.name}(${arg.name})`, `${arg.type}${defaultOf(arg)}`);
        }
      }
    } else if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        found.set(`${type.name}.${field.name}`, `${field.type}${defaultOf(field)}`);
      }
    }
  }
  return found;
}

type Defaulted = {
  default?: { literal?: unknown; value?: unknown } | undefined;
  defaultValue?: unknown;
  type: Parameters<typeof valueToLiteral>[1];
};
function defaultOf({ default: given, defaultValue, type }: Defaulted): string {
  if (given?.literal !== undefined) return ` = ${print(given.literal as never)}`;
  const value = given?.value ?? defaultValue;
  const literal = value === undefined ? undefined : valueToLiteral(value, type);
  return literal === undefined ? '' : ` = ${print(literal)}`;
}

describe('the schema', () => {
  it('has every type, field, argument and enum value of the contract, with the same type and default', () => {
    const ours = members(schema);
    const differing = [...members(target)].filter(([name, is]) => ours.get(name) !== is);
    expect(differing.map(([name, is]) => `${name}: ${is}, ours: ${ours.get(name)}`)).toEqual([]);
  });

  it('adds only optional things to the contract', () => {
    const theirs = members(target);
    const added = [...members(schema)].filter(([name]) => !theirs.has(name));
    expect(added).toEqual([
      ['Host.runs(orderBy)', 'RunOrder = STARTED_DESC'],
      ['StartTaskPayload.leftOut', '[InputProblem!]!'],
      ['StepEvent.atReplaced', 'Boolean!'],
      ['StepEvent.taskChange', 'JSONObject'],
      ['Task.message', 'String'],
    ]);
  });

  it('describes every type, field, argument, input field and enum value', () => {
    const silent: string[] = [];
    const look = (name: string, { description }: { description?: string | null | undefined }) => {
      if ((description ?? '').length < 4) silent.push(name);
    };
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue;
      look(type.name, type);
      if (isEnumType(type)) {
        for (const value of type.getValues()) look(`${type.name}.${value.name}`, value);
      } else if (isObjectType(type)) {
        for (const field of Object.values(type.getFields())) {
          look(`${type.name}.${field.name}`, field);
          for (const arg of field.args) look(`${type.name}.${field.name}(${arg.name})`, arg);
        }
      } else if (isInputObjectType(type)) {
        for (const field of Object.values(type.getFields())) {
          look(`${type.name}.${field.name}`, field);
        }
      }
    }
    expect(silent).toEqual([]);
  });

  it('says of each list, text and object of an answer how large it can get', () => {
    const silent: string[] = [];
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      for (const { name, type: of, description } of Object.values(type.getFields())) {
        const large = isListType(getNullableType(of)) || LARGE.has(getNamedType(of).name);
        const capped = /\b(at most|≤) (as many as|\d)/i.test(description ?? '');
        if (large && !capped) silent.push(`${type.name}.${name}`);
      }
    }
    // Its values are listed in its description.
    expect(silent).toEqual(['InputProblem.code']);
  });

  it('is printed in schema.graphql as the code has it', () => {
    const printed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
    expect(printed).toBe(`${printSchema(schema)}\n`);
  });
});

/** Compiled coercion is graphql-js's, only faster: where it answers, the answer is the same. */
import fc from 'fast-check';
import {
  coerceInputValue,
  buildSchema as fromSource,
  type GraphQLInputType,
  type GraphQLSchema,
  getVariableValues,
  type OperationDefinitionNode,
  parse,
  parseType,
  typeFromAST,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import type { InputProblem } from '../../src/domain/errors.ts';
import { parseStepEvent } from '../../src/domain/event/input.ts';
import { compileInput, compileVariables } from '../../src/graphql/operation/coerce.ts';
import { buildSchema } from '../../src/graphql/schema.ts';

const schema = buildSchema();
const odd = fromSource(`
  enum Colour { RED GREEN }
  input Tree { name: String! = "leaf", size: Int, colour: Colour = RED, children: [Tree!], grid: [[Float]!] }
  input Choice @oneOf { a: Int, b: String }
  input Awkward { constructor: Int, toString: String }
  type Query { ok(tree: Tree, choice: Choice, awkward: Awkward): Boolean }
`);

function typeIn(where: GraphQLSchema, text: string): GraphQLInputType {
  return typeFromAST(where, parseType(text)) as GraphQLInputType;
}

/** Own entries at every level; graphql-js's objects and ours have no members besides them. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

const scalars = fc.oneof(
  fc.constant(null),
  fc.constant(undefined),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.bigInt(),
  fc.constantFrom('RED', 'RUNNING', 'NOPE', '2026-01-31T09:30:00Z', 1_700_000_000_000, 2 ** 31),
);
const FIELDS = [
  ...['eventId', 'taskId', 'host', 'step', 'attempt', 'status', 'at', 'sequence', 'message'],
  ...['params', 'exitCode', 'durationMs', 'progress', 'error', 'labels', 'done', 'total', 'code'],
  ...['name', 'size', 'colour', 'children', 'grid', 'a', 'b', 'constructor', '__proto__', 'nope'],
];
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('anything'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('anything'), { maxKeys: 5 }),
    fc.constantFrom(new Date(0), new Map(), new Set([1]), Object.create({ size: 1 })),
  ),
}));

/** Mostly right, so that the fast way is taken, with now and then something odd. */
const event = fc.record(
  {
    eventId: fc.oneof(fc.string(), fc.integer(), scalars),
    taskId: fc.oneof({ weight: 9, arbitrary: fc.string() }, { weight: 1, arbitrary: scalars }),
    host: fc.string(),
    step: fc.string(),
    attempt: fc.oneof(fc.integer(), fc.constant(null), fc.constant(undefined)),
    status: fc.constantFrom('RUNNING', 'FAILED', null, 'OOPS'),
    at: fc.oneof(fc.constantFrom('2026-01-31T09:30:00Z', 1_700_000_000_000, null), scalars),
    params: fc.oneof(fc.constant({ a: [1, { b: null }] }), anything),
    progress: fc.record({ done: fc.double(), total: scalars }, { requiredKeys: [] }),
    durationMs: fc.oneof(fc.double(), scalars),
    labels: fc.dictionary(fc.string(), scalars),
  },
  { requiredKeys: ['taskId', 'host', 'step'] },
);

const isNothingSaid = ({ code, field }: InputProblem) => code === 'REQUIRED' && field === 'message';

describe('compiled coercion', () => {
  const cases: [string, GraphQLSchema, string][] = [
    ['StartTaskInput!', schema, 'a declaration'],
    ['EventFilter', schema, 'a filter'],
    ['Tree', odd, 'a type that contains itself, with defaults'],
    ['[Tree]', odd, 'a list of it'],
    ['Choice', odd, 'a oneOf type'],
    ['Awkward', odd, 'fields named as members of every object'],
  ];
  for (const [text, where, what] of cases) {
    it(`gives what graphql-js gives, or nothing, for ${what}`, () => {
      const type = typeIn(where, text);
      const coerce = compileInput(type);
      fc.assert(
        fc.property(fc.oneof(event, fc.array(event, { maxLength: 4 }), anything), (value) => {
          const ours = coerce(value);
          if (ours !== undefined) {
            const theirs = coerceInputValue(value, type);
            expect(theirs).toBeDefined();
            expect(plain(ours)).toEqual(plain(theirs));
          }
        }),
        { numRuns: 400 },
      );
    });
  }

  it('takes every event that graphql-js takes, as it does', () => {
    const type = typeIn(schema, 'StepEventInput!');
    const coerce = compileInput(type);
    fc.assert(
      fc.property(fc.oneof(event, anything), (value) => {
        const theirs = coerceInputValue(value, type);
        if (theirs !== undefined) expect(plain(coerce(value))).toEqual(plain(theirs));
      }),
      { numRuns: 400 },
    );
  });

  it('takes of other events what is judged by itself, and that alone', () => {
    const coerce = compileInput(typeIn(schema, 'StepEventInput!'));
    const judged = ['attempt', 'status', 'at', 'sequence', 'level', 'stream', 'exitCode'];
    fc.assert(
      fc.property(event, (value) => {
        const ours = coerce(value);
        if (ours === undefined || coerceInputValue(value, typeIn(schema, 'StepEventInput!')))
          return;
        const parsed = parseStepEvent(ours, 0);
        // Names come first, and random ones are mostly wrong.
        const names = ['eventId', 'taskId', 'host', 'step'];
        const places = [...names, ...judged, 'durationMs', 'progress.done', 'progress.total'];
        // An unset time is none, and then an event may have nothing else to say.
        if (!parsed.ok && !isNothingSaid(parsed.problem)) {
          expect(places).toContain(parsed.problem.field);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('gives variables with their defaults and sources as graphql-js does', () => {
    const [node] = parse(
      `query ($filter: EventFilter!, $first: Int = 20, $after: String, $attempts: [Int!] = [1]) {
        events(filter: $filter, first: $first, after: $after) { nodes { id } }
      }`,
    ).definitions as [OperationDefinitionNode];
    const coerce = compileVariables(schema, node);
    const inputs = fc.record(
      {
        filter: fc.oneof(
          fc.constant({ hosts: ['a', 'b'], attempts: 1, minLevel: 'WARN' }),
          anything,
        ),
        first: scalars,
        after: scalars,
        attempts: fc.oneof(fc.array(fc.integer()), scalars),
        unknown: scalars,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(inputs, (raw) => {
        const theirs = getVariableValues(schema, node.variableDefinitions ?? [], raw);
        const ours = coerce(raw);
        if (ours === null) return;
        expect(theirs.errors).toBeUndefined();
        expect(plain(ours.coerced)).toEqual(plain(theirs.variableValues?.coerced));
        expect(Object.keys(ours.sources)).toEqual(
          Object.keys(theirs.variableValues?.sources ?? {}),
        );
      }),
      { numRuns: 400 },
    );
  });
});

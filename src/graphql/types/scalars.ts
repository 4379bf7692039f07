/** Scalars beyond GraphQL's own. */
import { GraphQLError, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { formatDateTime, parseDateTime } from '../../domain/event/date-time.ts';
import type { JsonObject } from '../../domain/event/event.ts';
import { parseExactJson } from '../../domain/event/exact-number.ts';
import { isBeforeReports } from '../../domain/event/reported-time.ts';
import { builder } from '../builder.ts';

type Variables = Parameters<typeof valueFromASTUntyped>[1];

/** The value of a literal, its numbers as they stand there. */
function literalValue(node: ValueNode, variables: Variables): unknown {
  switch (node.kind) {
    case Kind.INT:
    case Kind.FLOAT:
      return parseExactJson(node.value);
    case Kind.LIST:
      return node.values.map((entry) => literalValue(entry, variables));
    case Kind.OBJECT:
      return Object.assign(
        Object.create(null),
        ...node.fields.map(({ name, value }) => ({ [name.value]: literalValue(value, variables) })),
      );
    default:
      return valueFromASTUntyped(node, variables);
  }
}

/** The same for a literal; what is wrong with it points to its place in the document. */
function fromLiteral<T>(parse: (value: unknown, node?: ValueNode) => T) {
  return (node: ValueNode, variables: Variables): T => parse(literalValue(node, variables), node);
}

/**
 * Epoch milliseconds. A text of long ago stays as it is: in a filter it is a moment, in a report
 * the clock of a host that was never set, and a number as small would be seconds.
 */
function parseTime(value: unknown, node?: ValueNode): number | string {
  if (typeof value === 'string' && isBeforeReports(value)) return value;
  const ms = parseDateTime(value);
  if (ms !== null) return ms;
  throw new GraphQLError(
    'DateTime takes an RFC 3339 text such as 2026-01-31T09:30:00Z, or epoch milliseconds, in the years 0000 to 9999.',
    { nodes: node },
  );
}

function parseObject(value: unknown, node?: ValueNode): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new GraphQLError('JSONObject takes a JSON object.', { nodes: node });
}

builder.scalarType('DateTime', {
  description:
    'A moment. In: an RFC 3339 text with any offset (`2026-01-31T09:30:00+08:00`) or epoch milliseconds as a number; years 0000 to 9999; fractions of a millisecond are cut. Out: RFC 3339 in UTC with milliseconds (`2026-01-31T01:30:00.000Z`).',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (ms) => formatDateTime(ms),
  parseValue: (value) => parseTime(value),
  parseLiteral: fromLiteral(parseTime),
});

builder.scalarType('JSONObject', {
  description:
    'A JSON object, in and out as it is. Depth, number of keys and size are capped where it is used. A number that a double cannot hold (9007199254740993) is kept digit by digit, as a text.',
  serialize: (value) => value,
  parseValue: (value) => parseObject(value),
  parseLiteral: fromLiteral(parseObject),
});

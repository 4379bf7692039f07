/**
 * Objects that graphql-js must not be asked about. It quotes a wrong object whole, once for each
 * of its errors: one with half a million keys took it ten seconds in which nobody was served.
 */
import { GraphQLError, type OperationDefinitionNode } from 'graphql';
import type { ErrorCode } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/event/limits.ts';

/** No object of the schema has so many fields, and no JSON that may be taken has so many keys. */
const KEYS_MAX = LIMITS.paramsKeys;
const PATH_MAX = 200;

interface Place {
  value: unknown;
  key: string;
  within: Place | null;
}

/** The error about the first variable that holds such an object, or null. */
export function crowdedVariable(
  { variableDefinitions = [] }: OperationDefinitionNode,
  raw: Readonly<Record<string, unknown>>,
): GraphQLError | null {
  for (const { variable } of variableDefinitions) {
    const name = variable.name.value;
    const place = Object.hasOwn(raw, name) ? crowded(raw[name], name) : null;
    if (place === null) continue;
    const field = pathOf(place);
    return new GraphQLError(`${field}: an object has at most ${KEYS_MAX} keys here`, {
      nodes: variable,
      extensions: { code: 'BAD_USER_INPUT' satisfies ErrorCode, field },
    });
  }
  return null;
}

/** Not recursive: JSON can be nested deeper than the stack. */
function crowded(root: unknown, name: string): Place | null {
  const waiting: Place[] = [{ value: root, key: name, within: null }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { value } = place;
    if (typeof value !== 'object' || value === null) continue;
    const keys = Object.keys(value);
    if (keys.length > KEYS_MAX && !Array.isArray(value)) return place;
    for (const key of keys) {
      const child: unknown = (value as Record<string, unknown>)[key];
      if (typeof child === 'object') waiting.push({ value: child, key, within: place });
    }
  }
  return null;
}

function pathOf(place: Place): string {
  const keys: string[] = [];
  for (let at: Place | null = place; at !== null; at = at.within) {
    keys.push(Array.isArray(at.within?.value) ? `[${at.key}]` : `.${at.key}`);
    if (keys.length > PATH_MAX) break;
  }
  return keys.reverse().join('').slice(1, PATH_MAX);
}

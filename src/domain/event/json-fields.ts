/** Readers of fields that hold objects of the sender's own: params and labels. */
import type { JsonObject, Labels } from './event.ts';
import { ExactNumber } from './exact-number.ts';
import { checkText, type InputObject, Refused, readNumber, readText, wrongType } from './fields.ts';
import { LIMITS } from './limits.ts';

/** An object of JSON within the caps on size, depth and keys. */
export function readParams(value: unknown, field: string): JsonObject | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw wrongType(field, 'an object', value);
  }
  const count = { keys: 0, exact: 0 };
  checkJson(value, field, 1, count);
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > LIMITS.paramsBytes) {
    throw new Refused('TOO_LONG', field, `${field} is over ${LIMITS.paramsBytes} bytes of JSON`);
  }
  // Numbers that a double cannot hold are kept as texts, digit by digit.
  return (count.exact === 0 ? value : JSON.parse(text)) as JsonObject;
}

function checkJson(
  value: unknown,
  field: string,
  depth: number,
  count: { keys: number; exact: number },
): void {
  if (value === null || typeof value === 'boolean') return;
  if (value instanceof ExactNumber) {
    count.exact++;
    return;
  }
  if (typeof value === 'string') {
    checkText(value, field);
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) {
      throw new Refused('OUT_OF_RANGE', field, `${field} holds a number too large for JSON`);
    }
  } else if (typeof value !== 'object') {
    throw wrongType(field, 'JSON', value);
  } else if (depth > LIMITS.paramsDepth) {
    throw new Refused('TOO_LONG', field, `${field} is nested deeper than ${LIMITS.paramsDepth}`);
  } else if (Array.isArray(value)) {
    for (const entry of value) checkJson(entry, field, depth + 1, count);
  } else {
    for (const key of Object.keys(value)) {
      checkKey(key, field);
      if (++count.keys > LIMITS.paramsKeys) {
        throw new Refused('TOO_LONG', field, `${field} has more than ${LIMITS.paramsKeys} keys`);
      }
      checkJson((value as InputObject)[key], field, depth + 1, count);
    }
  }
}

/** `__proto__` is refused, so that no code behind this one can be led to a prototype by it. */
function checkKey(key: string, field: string): void {
  checkText(key, field);
  if (key === '__proto__') {
    throw new Refused('INVALID_VALUE', field, `${field} must not have the key "__proto__"`);
  }
}

/** Flat labels; an entry that is null is absent. null where there is none. */
export function readLabels(value: unknown, field: string): Labels | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw wrongType(field, 'an object', value);
  }
  const labels: Labels = {};
  let count = 0;
  for (const key of Object.keys(value)) {
    checkKey(key, field);
    const path = `${field}.${key.slice(0, LIMITS.labelKey)}`.toWellFormed();
    if (key === '' || key.length > LIMITS.labelKey) {
      throw new Refused('TOO_LONG', path, `a label's key has 1 to ${LIMITS.labelKey} characters`);
    }
    const entry = readLabel((value as InputObject)[key], path);
    if (entry === null) continue;
    if (++count > LIMITS.labels) {
      throw new Refused('TOO_LONG', field, `${field} has more than ${LIMITS.labels} entries`);
    }
    labels[key] = entry;
  }
  return count === 0 ? null : labels;
}

function readLabel(value: unknown, field: string): string | number | boolean | null {
  if (typeof value === 'boolean') return value;
  if (value instanceof ExactNumber) return readText(value.source, field, LIMITS.labelValue);
  if (typeof value === 'number') {
    return readNumber(value, field, -Number.MAX_VALUE, Number.MAX_VALUE);
  }
  if (value !== null && typeof value === 'object') {
    throw wrongType(field, 'a text, a number or a boolean', value);
  }
  return readText(value, field, LIMITS.labelValue);
}

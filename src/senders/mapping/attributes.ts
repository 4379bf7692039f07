/**
 * What a document says beyond what we know, kept within the caps on labels and params. Params are
 * nested again, so that redaction sees each name by itself.
 */

import type { JsonObject, Labels } from '../../domain/event/event.ts';
import { ExactNumber } from '../../domain/event/exact-number.ts';
import { LIMITS } from '../../domain/event/limits.ts';
import type { FieldMap, Leaf } from './field-map.ts';
import type { LabelRule } from './mapping.ts';
import type { Misfits } from './misfits.ts';
import { jsonText, textFrom, wellFormed } from './texts.ts';

export function takeLabels(
  fields: FieldMap,
  rules: readonly LabelRule[],
  said: Labels | undefined,
  misfits: Misfits,
): Labels {
  const labels: Labels = {};
  let count = 0;
  const add = (name: string, leaf: Leaf): void => {
    const value = labelOf(leaf);
    const key = wellFormed(name);
    if (value === null || Object.hasOwn(labels, key)) return;
    const fits = count < LIMITS.labels && key.length <= LIMITS.labelKey && key !== '__proto__';
    if (!fits) {
      misfits.note('label', name);
      return;
    }
    labels[key] = value;
    count++;
  };
  for (const [name, value] of Object.entries(said ?? {})) add(name, value);
  for (const rule of rules) {
    const { name, paths } = rule;
    // One without a name is a list of all that stands below a path.
    if (name !== null && !fields.concerns(rule)) continue;
    for (const path of paths) {
      if (path.endsWith('.*')) {
        for (const [below, leaf] of fields.takeBelow(path.slice(0, -2))) add(below, leaf);
      } else if (fields.has(path)) {
        add(name ?? path, fields.take(path));
      }
    }
  }
  return labels;
}

function labelOf(leaf: Leaf): Labels[string] | null {
  if (typeof leaf === 'boolean') return leaf;
  if (typeof leaf === 'number') return Number.isFinite(leaf) ? leaf : null;
  const text =
    typeof leaf === 'string' ? leaf : leaf instanceof ExactNumber ? leaf.source : jsonText(leaf);
  return text === '' ? null : textFrom(text, LIMITS.labelValue).text;
}

/** Levels that are left for lists and objects within a value. */
const MAX_SEGMENTS = 5;

/** What nobody took, as far as it fits; null where nothing is left. */
export function restAsParams(fields: FieldMap, misfits: Misfits): JsonObject | null {
  const params: JsonObject = {};
  let bytes = 2;
  let keys = 0;
  let empty = true;
  for (const [path, leaf] of fields.rest()) {
    const segments = segmentsOf(path);
    const value = clean(leaf, segments.length);
    const cost = value === undefined ? 0 : costOf(value.json, segments);
    const fits =
      value !== undefined &&
      bytes + cost <= LIMITS.paramsBytes &&
      keys + segments.length + value.keys <= LIMITS.paramsKeys &&
      place(params, segments, path, value.json);
    if (!fits) {
      misfits.note('attribute', path);
      continue;
    }
    bytes += cost;
    keys += segments.length + value.keys;
    empty = false;
  }
  return empty ? null : params;
}

/** At most: a name that several share is counted for each. */
function costOf(json: JsonObject[string], segments: readonly string[]): number {
  const names = segments.reduce(
    (sum, name) => sum + Buffer.byteLength(JSON.stringify(name)) + 4,
    0,
  );
  return names + Buffer.byteLength(JSON.stringify(json));
}

function segmentsOf(path: string): string[] {
  const parts = wellFormed(path).split('.');
  const odd = parts.some((part) => part === '' || part === '__proto__');
  if (odd) return [wellFormed(path).replaceAll('__proto__', '_proto_')];
  if (parts.length <= MAX_SEGMENTS) return parts;
  return [...parts.slice(0, MAX_SEGMENTS - 1), parts.slice(MAX_SEGMENTS - 1).join('.')];
}

/** false: something stands where a part of the path would have to. */
function place(
  params: JsonObject,
  segments: readonly string[],
  path: string,
  value: JsonObject[string],
): boolean {
  let object = params;
  for (const name of segments.slice(0, -1)) {
    const next = Object.hasOwn(object, name) ? object[name] : undefined;
    if (next === undefined) {
      const made: JsonObject = {};
      object[name] = made;
      object = made;
    } else if (typeof next === 'object' && next !== null && !Array.isArray(next)) object = next;
    else return put(params, wellFormed(path), value);
  }
  return put(object, segments.at(-1) as string, value);
}

function put(object: JsonObject, name: string, value: JsonObject[string]): boolean {
  if (Object.hasOwn(object, name)) return false;
  object[name] = value;
  return true;
}

/** The value as params can hold it, and its keys; undefined: it cannot. */
function clean(leaf: Leaf, depth: number): { json: JsonObject[string]; keys: number } | undefined {
  if (typeof leaf === 'string') {
    return { json: textFrom(leaf, LIMITS.paramsBytes / 4).text, keys: 0 };
  }
  if (typeof leaf === 'boolean') return { json: leaf, keys: 0 };
  if (typeof leaf === 'number') {
    return Number.isFinite(leaf) ? { json: leaf, keys: 0 } : undefined;
  }
  if (leaf instanceof ExactNumber) return { json: leaf.source, keys: 0 };
  if (leaf === null) return { json: null, keys: 0 };
  if (typeof leaf !== 'object' || depth >= LIMITS.paramsDepth) return undefined;
  let keys = 0;
  const one = (value: unknown): JsonObject[string] => {
    const cleaned = clean(value, depth + 1);
    keys += cleaned?.keys ?? 0;
    return cleaned?.json ?? null;
  };
  if (Array.isArray(leaf)) return { json: leaf.slice(0, LIMITS.paramsKeys).map(one), keys };
  const json: JsonObject = {};
  for (const [name, value] of Object.entries(leaf).slice(0, LIMITS.paramsKeys)) {
    if (name === '__proto__') continue;
    keys++;
    json[wellFormed(name)] = one(value);
  }
  return { json, keys };
}

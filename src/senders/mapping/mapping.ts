/**
 * What a mapping is: for each thing that an event can say, the paths at which documents say it.
 * The first path that a document has is taken. `default-mapping.ts` is the built-in one,
 * `mapping-file.ts` reads those of a file.
 */
import type { TimeFormat } from './times.ts';

export interface FieldRule {
  paths: readonly string[];
  /** Where no path is there. */
  fallback?: string;
  /** What the document's text means; others stay as they are. */
  values?: ReadonlyMap<string, string>;
}

export interface TimeRule {
  paths: readonly string[];
  format: TimeFormat;
  offsetMinutes: number;
}

/** Who wrote a document that names no task: `container` and where its name stands. */
export interface WriterRule {
  kind: string;
  paths: readonly string[];
}

/** A label from the first of these paths; a path that ends in `.*` gives each one below it. */
export interface LabelRule {
  /** Null: each under its own name. */
  name: string | null;
  paths: readonly string[];
}

const TEXT_FIELDS = ['task', 'host', 'step', 'message'] as const;
/** Fields of an event that a mapping fills, besides `time` and `labels`. */
export const FIELDS = [
  ...TEXT_FIELDS,
  'id',
  'attempt',
  'status',
  'level',
  'stream',
  'command',
  'exitCode',
  'durationMs',
  'error',
  'errorCode',
  'source',
] as const;
export type FieldName = (typeof FIELDS)[number];

export interface Mapping {
  name: string;
  fields: Readonly<Record<FieldName, FieldRule>>;
  time: TimeRule;
  writers: readonly WriterRule[];
  labels: readonly LabelRule[];
  /** Paths that are left out on purpose; `.*` at the end means all below. */
  drop: readonly string[];
}

/** The step of a document that names none. */
export const LOG_STEP = 'log';

/** Which rules name a path, made once for each mapping. */
export function rulesByPath(mapping: Mapping): ReadonlyMap<string, readonly object[]> {
  let index = indices.get(mapping);
  if (index === undefined) {
    index = indexOf(mapping);
    indices.set(mapping, index);
  }
  return index;
}

const indices = new WeakMap<Mapping, ReadonlyMap<string, readonly object[]>>();

function indexOf({ fields, time, writers, labels }: Mapping): Map<string, object[]> {
  const index = new Map<string, object[]>();
  const rules = [...Object.values(fields), time, ...writers, ...labels];
  for (const rule of rules) {
    for (const path of rule.paths) {
      const known = index.get(path);
      if (known === undefined) index.set(path, [rule]);
      else known.push(rule);
    }
  }
  return index;
}

/**
 * Mappings from a file (YAML, and so JSON): which documents mean what. Read once at the start, with
 * all its mistakes told at once, each with its line.
 */
import { isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { nearest } from '../../domain/text/nearest.ts';
import { SOURCE_KINDS } from '../foreign-document.ts';
import { DEFAULT_MAPPING } from './default-mapping.ts';
import { FIELDS, type FieldName, type FieldRule, type LabelRule, type Mapping } from './mapping.ts';
import type { MappingChoice } from './mappings.ts';
import { TIME_FORMATS } from './times.ts';

const MAX_PATHS = 50;
const MAX_MAPPINGS = 100;

const path = z
  .string('must be a path such as host.name')
  .min(1, 'must not be empty')
  .max(256, 'must have at most 256 characters')
  .refine((text) => !text.includes('*'), 'must not hold "*": only labels and drop may end in .*');
const pathOrAllBelow = z
  .string('must be a path such as kubernetes.labels.*')
  .min(1, 'must not be empty')
  .max(256, 'must have at most 256 characters')
  .refine(
    (text) => !text.replace(/\.\*$/, '').includes('*'),
    'may hold "*" only at its end, behind a dot',
  );
function oneOrMore<T extends z.ZodType>(item: T, error: string) {
  return z.union([item.transform((one) => [one]), z.array(item).min(1).max(MAX_PATHS)], { error });
}
const paths = oneOrMore(
  path,
  'must be a path, or a list of paths (the first that is there is taken)',
);

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const rule = z.union(
  [
    paths.transform((own) => ({ path: own, fallback: undefined, values: undefined })),
    z.strictObject({
      path: paths.optional(),
      fallback: text.optional(),
      values: z.record(z.string(), text).optional(),
    }),
  ],
  { error: 'must be a path, a list of paths, or an object with path, fallback and values' },
);

const OFFSET = /^(?:Z|UTC|([+-])(\d\d):(\d\d))$/;
const timeRule = z.union(
  [
    paths.transform((own) => ({ path: own, format: undefined, offset: undefined })),
    z.strictObject({
      path: paths.optional(),
      format: z.enum(TIME_FORMATS, `must be one of ${TIME_FORMATS.join(', ')}`).optional(),
      offset: z.string().regex(OFFSET, 'must be an offset such as +08:00, or UTC').optional(),
    }),
  ],
  { error: 'must be a path, a list of paths, or an object with path, format and offset' },
);

const labels = z.union(
  [
    z.array(pathOrAllBelow).transform((list) => list.map((one) => ({ name: null, paths: [one] }))),
    z
      .record(z.string().min(1).max(128), paths)
      .transform((named) => Object.entries(named).map(([name, own]) => ({ name, paths: own }))),
  ],
  { error: 'must be a list of paths, or an object of names and paths' },
);

const ruleOfEachField = Object.fromEntries(FIELDS.map((name) => [name, rule.optional()])) as Record<
  FieldName,
  z.ZodOptional<typeof rule>
>;

const mapping = z.strictObject({
  extends: z.enum(['default', 'none'], 'must be default or none').default('default'),
  ...ruleOfEachField,
  time: timeRule.optional(),
  labels: labels.optional(),
  writers: z
    .array(z.strictObject({ kind: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/), path: paths }))
    .max(MAX_PATHS)
    .optional(),
  drop: z.array(pathOrAllBelow).max(MAX_PATHS).optional(),
});

const file = z.strictObject({
  mappings: z
    .record(z.string().min(1).max(128), mapping)
    .refine((all) => Object.keys(all).length <= MAX_MAPPINGS, `has more than ${MAX_MAPPINGS}`),
  use: z.array(
    z.strictObject({
      index: oneOrMore(
        z.string().min(1).max(256),
        'must be a pattern, or a list of them',
      ).optional(),
      kind: oneOrMore(z.enum(SOURCE_KINDS), `must be one of ${SOURCE_KINDS.join(', ')}`).optional(),
      mapping: z.string(),
    }),
  ),
});

export type MappingFile = { ok: MappingChoice[] } | { problems: string[] };

/** Never throws: what is wrong is among the problems, each beginning with its line. */
export function parseMappingFile(source: string): MappingFile {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(
      ({ message, pos }) => `line ${lines.linePos(pos[0]).line}: ${message}`,
    );
    return { problems };
  }
  const lineOf = (where: readonly PropertyKey[]): string => {
    for (let depth = where.length; depth >= 0; depth--) {
      const node = document.getIn(where.slice(0, depth), true);
      if (isNode(node) && node.range) return `line ${lines.linePos(node.range[0]).line}`;
    }
    return 'line 1';
  };
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const parsed = file.safeParse(value);
  const problems = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => told(issue, lineOf));
  problems.push(...wrongNames(value, lineOf));
  if (!parsed.success || problems.length > 0) return { problems };
  const mappings = new Map(
    Object.entries(parsed.data.mappings).map(([name, own]) => [name, compiled(name, own)]),
  );
  return {
    ok: parsed.data.use.map(({ index, kind, mapping: name }) => ({
      indices: index ?? [],
      kinds: kind ?? [],
      mapping: mappings.get(name) ?? DEFAULT_MAPPING,
    })),
  };
}

type Issue = z.core.$ZodIssue;

function told(issue: Issue, lineOf: (path: readonly PropertyKey[]) => string): string[] {
  const where = issue.path.join('.') || 'the file';
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path.length === 0 ? ['mappings', 'use'] : KNOWN_KEYS;
    return issue.keys.map((key) => {
      const guess = nearest(key, known);
      const hint = guess === null ? '' : `; did you mean "${guess}"?`;
      return `${lineOf([...issue.path, key])}: ${where} has no "${key}"${hint}`;
    });
  }
  if (issue.code === 'invalid_union') {
    // Where one of the forms was meant, what is wrong in it says more.
    const deep = issue.errors.find((errors) =>
      errors.some((one) => one.path.length > 0 || one.code === 'unrecognized_keys'),
    );
    if (deep !== undefined) {
      return deep.flatMap((one) => told({ ...one, path: [...issue.path, ...one.path] }, lineOf));
    }
  }
  return [`${lineOf(issue.path)}: ${where} ${issue.message}`];
}

const KNOWN_KEYS = [...FIELDS, 'time', 'labels', 'writers', 'drop', 'extends'].concat([
  'path',
  'fallback',
  'values',
  'format',
  'offset',
  'index',
  'kind',
  'mapping',
]);

/** Choices of mappings that are not there. */
function wrongNames(value: unknown, lineOf: (path: readonly PropertyKey[]) => string): string[] {
  const loose = z
    .object({
      mappings: z.record(z.string(), z.unknown()),
      use: z.array(z.object({ mapping: z.string() })),
    })
    .safeParse(value);
  if (!loose.success) return [];
  const names = [...Object.keys(loose.data.mappings), 'default'];
  return loose.data.use.flatMap(({ mapping: name }, at) => {
    if (names.includes(name)) return [];
    const guess = nearest(name, names);
    const hint = guess === null ? '' : `; did you mean "${guess}"?`;
    const where = lineOf(['use', at, 'mapping']);
    return [`${where}: use.${at}.mapping: there is no mapping "${name}"${hint}`];
  });
}

type MappingInput = z.output<typeof mapping>;

const NOTHING: Mapping = {
  name: 'none',
  fields: Object.fromEntries(FIELDS.map((name) => [name, { paths: [] }])) as unknown as Record<
    FieldName,
    FieldRule
  >,
  time: { paths: [], format: 'auto', offsetMinutes: 0 },
  writers: [],
  labels: [],
  drop: [],
};

/** Its own paths stand before those of what it extends. */
function compiled(name: string, own: MappingInput): Mapping {
  const base = own.extends === 'default' ? DEFAULT_MAPPING : NOTHING;
  const fields = Object.fromEntries(
    FIELDS.map((field) => {
      const { path: first = [], fallback, values } = own[field] ?? {};
      const merged: FieldRule = {
        paths: [...new Set([...first, ...base.fields[field].paths])],
        ...(fallback === undefined ? {} : { fallback }),
        ...(values === undefined ? {} : { values: new Map(Object.entries(values)) }),
      };
      return [field, merged];
    }),
  ) as Record<FieldName, FieldRule>;
  const { path: first = [], format = 'auto', offset = 'UTC' } = own.time ?? {};
  const ownLabels: readonly LabelRule[] = own.labels ?? [];
  const ownWriters = (own.writers ?? []).map(({ kind, path: where }) => ({ kind, paths: where }));
  return {
    name,
    fields,
    time: {
      paths: [...new Set([...first, ...base.time.paths])],
      format,
      offsetMinutes: minutesOf(offset),
    },
    writers: [...ownWriters, ...base.writers],
    labels: [...ownLabels, ...base.labels],
    drop: [...(own.drop ?? []), ...base.drop],
  };
}

function minutesOf(offset: string): number {
  const [, sign, hours, minutes] = OFFSET.exec(offset) ?? [];
  if (sign === undefined) return 0;
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}

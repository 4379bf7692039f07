/**
 * Mappings from a file (YAML, and so JSON): which documents mean what. Read once at the start, with
 * all its mistakes told at once, each with its line.
 */
import { isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { SOURCE_KINDS } from '../foreign-document.ts';
import { DEFAULT_MAPPING } from './default-mapping.ts';
import { FIELDS, type FieldName, type FieldRule, type LabelRule, type Mapping } from './mapping.ts';
import { inOrder, type Path, told, wrongNames } from './mapping-problems.ts';
import type { MappingChoice } from './mappings.ts';
import { TIME_FORMATS } from './times.ts';

const MAX_PATHS = 50;
const MAX_MAPPINGS = 100;
const NOT_EMPTY = 'must not be empty';
const NOT_LONGER = 'must have at most 256 characters';
const TOO_MANY = `must have ${MAX_PATHS} at most`;

const path = z
  .string('must be a path such as host.name')
  .min(1, NOT_EMPTY)
  .max(256, NOT_LONGER)
  .refine((text) => !text.includes('*'), 'must not hold "*": only labels and drop may end in .*');
const pathOrAllBelow = z
  .string('must be a path such as kubernetes.labels.*')
  .min(1, NOT_EMPTY)
  .max(256, NOT_LONGER)
  .refine(
    (text) => !text.replace(/\.\*$/, '').includes('*'),
    'may hold "*" only at its end, behind a dot',
  );
function oneOrMore<T extends z.ZodType>(item: T, error: string) {
  return z.union(
    [
      item.transform((one) => [one]),
      z.array(item).min(1, 'must have one at least').max(MAX_PATHS, TOO_MANY),
    ],
    { error },
  );
}
const paths = oneOrMore(
  path,
  'must be a path, or a list of paths (the first that is there is taken)',
);

const text = z
  .union([z.string(), z.number(), z.boolean()], 'must be a text, a number, true or false')
  .transform(String);
const rule = z.union(
  [
    paths.transform((own) => ({ path: own, fallback: undefined, values: undefined })),
    z.strictObject({
      path: paths.optional(),
      fallback: text.optional(),
      values: z
        .record(z.string(), text, 'must be an object of words and what they mean')
        .optional(),
    }),
  ],
  { error: 'must be a path, a list of paths, or an object with path, fallback and values' },
);

const OFFSET = /^(?:Z|UTC|([+-])(\d\d):(\d\d))$/;
const NO_OFFSET = 'must be an offset such as +08:00, or UTC';
const timeRule = z.union(
  [
    paths.transform((own) => ({ path: own, format: undefined, offset: undefined })),
    z.strictObject({
      path: paths.optional(),
      format: z.enum(TIME_FORMATS, `must be one of ${TIME_FORMATS.join(', ')}`).optional(),
      offset: z.string(NO_OFFSET).regex(OFFSET, NO_OFFSET).optional(),
    }),
  ],
  { error: 'must be a path, a list of paths, or an object with path, format and offset' },
);

const name = z.string().min(1).max(128);
const labels = z.union(
  [
    z.array(pathOrAllBelow).transform((list) => list.map((one) => ({ name: null, paths: [one] }))),
    z
      .record(name, paths)
      .transform((named) => Object.entries(named).map(([name, own]) => ({ name, paths: own }))),
  ],
  { error: 'must be a list of paths, or an object of names and paths' },
);

const ruleOfEachField = Object.fromEntries(FIELDS.map((name) => [name, rule.optional()])) as Record<
  FieldName,
  z.ZodOptional<typeof rule>
>;

const NO_MAPPING = 'must be an object of fields and where they stand';
const KIND = /^[a-z][a-z0-9-]{0,30}$/;
const NO_KIND = 'must be a word such as pod, of 31 small letters at most';
const mapping = z.strictObject(
  {
    extends: z.enum(['default', 'none'], 'must be default or none').default('default'),
    ...ruleOfEachField,
    time: timeRule.optional(),
    labels: labels.optional(),
    writers: z
      .array(
        z.strictObject(
          { kind: z.string(NO_KIND).regex(KIND, NO_KIND), path: paths },
          'must be an object with kind and path',
        ),
        'must be a list of objects with kind and path',
      )
      .max(MAX_PATHS, TOO_MANY)
      .optional(),
    drop: z.array(pathOrAllBelow, 'must be a list of paths').max(MAX_PATHS, TOO_MANY).optional(),
  },
  NO_MAPPING,
);

const file = z.strictObject(
  {
    mappings: z
      .record(name, mapping, 'must be an object of names and mappings')
      .refine((all) => Object.keys(all).length <= MAX_MAPPINGS, `has more than ${MAX_MAPPINGS}`),
    use: z.array(
      z.strictObject(
        {
          index: oneOrMore(
            z.string().min(1, NOT_EMPTY).max(256, NOT_LONGER),
            'must be a pattern, or a list of them',
          ).optional(),
          kind: oneOrMore(
            z.enum(SOURCE_KINDS),
            `must be one of ${SOURCE_KINDS.join(', ')}`,
          ).optional(),
          mapping: z.string('must be the name of a mapping'),
        },
        'must be an object with mapping, and index or kind',
      ),
      'must be a list of objects with mapping, and index or kind',
    ),
  },
  'must be an object with mappings and use',
);

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
  const lineOf = (where: Path): number => {
    for (let depth = where.length; depth >= 0; depth--) {
      const node = document.getIn(where.slice(0, depth), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return { problems: [`line 1: ${(error as Error).message}`] };
  }
  const parsed = file.safeParse(value);
  const issues = parsed.success ? [] : parsed.error.issues;
  const problems = [...issues.flatMap(told), ...wrongNames(value)];
  if (!parsed.success || problems.length > 0) return { problems: inOrder(problems, lineOf) };
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

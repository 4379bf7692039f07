/** Conditions of a statement with their parameters, joined by AND. */
import type { LabelFilter } from '../../../domain/search/filter.ts';
import type { Sql, Value } from '../file/connection.ts';

/** Sorts after every text that begins with the same prefix: U+10FFFF is no character. */
const LAST_CHARACTER = '\u{10ffff}';

/** Conditions in one chain. */
const CHAIN_MAX = 64;

export class Where {
  readonly #parts: string[] = [];
  readonly #params: Value[] = [];

  add(condition: string, ...params: Value[]): this {
    this.#parts.push(condition);
    this.#params.push(...params);
    return this;
  }

  /** column IN values; an empty or absent list asks nothing. */
  in(column: string, values: readonly Value[] | undefined): this {
    if (values === undefined || values.length === 0) return this;
    if (values.length === 1) return this.add(`${column} = ?`, values[0] as Value);
    return this.add(`${column} IN (${values.map(() => '?').join(', ')})`, ...values);
  }

  from(column: string, value: number | undefined): this {
    return value === undefined ? this : this.add(`${column} >= ?`, value);
  }

  to(column: string, value: number | undefined): this {
    return value === undefined ? this : this.add(`${column} < ?`, value);
  }

  /** Host patterns: exact names, or beginnings with `*`. */
  hosts(column: string, patterns: readonly string[] | undefined): this {
    if (patterns === undefined || patterns.length === 0) return this;
    const condition = hostCondition(column, patterns);
    return this.add(condition.sql, ...condition.params);
  }

  labels(column: string, labels: readonly LabelFilter[] | undefined): this {
    if (labels === undefined || labels.length === 0) return this;
    const all = joined(
      labels.map(() => `label_is(${column}, ?, ?)`),
      'AND',
    );
    return this.add(all, ...labels.flatMap(({ key, value }) => [key, value]));
  }

  get sql(): string {
    return this.#parts.length === 0 ? '1' : this.#parts.join('\n  AND ');
  }

  get params(): Value[] {
    return [...this.#params];
  }
}

export function hostCondition(column: string, patterns: readonly string[]): Sql {
  const exact = patterns.filter((pattern) => !pattern.endsWith('*'));
  const prefixes = patterns
    .filter((pattern) => pattern.endsWith('*'))
    .map((pattern) => pattern.slice(0, -1));
  const parts = prefixes.map(() => `(${column} >= ? AND ${column} < ?)`);
  const params: Value[] = prefixes.flatMap((prefix) => [prefix, prefix + LAST_CHARACTER]);
  if (exact.length > 0) {
    parts.push(`${column} IN (${exact.map(() => '?').join(', ')})`);
    params.push(...exact);
  }
  return { sql: joined(parts, 'OR'), params };
}

/** Conditions by the hundred: halved again and again, for SQLite bounds the depth of a chain. */
function joined(parts: readonly string[], operator: 'AND' | 'OR'): string {
  if (parts.length === 1) return parts[0] as string;
  if (parts.length <= CHAIN_MAX) return `(${parts.join(` ${operator} `)})`;
  const half = Math.ceil(parts.length / 2);
  return `(${joined(parts.slice(0, half), operator)} ${operator} ${joined(parts.slice(half), operator)})`;
}

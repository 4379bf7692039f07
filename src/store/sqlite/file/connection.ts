/**
 * One connection with its prepared statements, and a deadline that long statements look at: a
 * running statement cannot be interrupted from outside, so `alive()` stands in their WHERE.
 */

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { ShiplogError } from '../../../domain/errors.ts';
import type { GuardLog } from '../../../guarded.ts';
import { SetAside } from './set-aside.ts';

export type Value = SQLInputValue;
export interface Sql {
  sql: string;
  params: Value[];
}
export type Row = Record<string, unknown>;

/** Statements name day tables, so there may be many; the least recently used are let go. */
const MAX_STATEMENTS = 400;
/** The clock is read once in so many calls of `alive()`. */
const CALLS_PER_LOOK = 64;

export interface ConnectionOptions {
  readOnly: boolean;
  /** Told what is stored and cannot be understood. */
  log?: GuardLog | null;
}

export class Connection {
  readonly db: DatabaseSync;
  readonly aside: SetAside;
  readonly #statements = new LRUCache<string, StatementSync>({ max: MAX_STATEMENTS });
  #deadline = Number.POSITIVE_INFINITY;
  #calls = 0;

  constructor(file: string, options: ConnectionOptions) {
    this.aside = new SetAside(options.log ?? null);
    this.db = new DatabaseSync(file, { readOnly: options.readOnly, timeout: 5_000 });
    this.db.enableDefensive(true);
    this.db.function('alive', { deterministic: false, varargs: false }, () => {
      this.#calls = (this.#calls + 1) % CALLS_PER_LOOK;
      if (this.#calls === 0) this.checkDeadline();
      return 1;
    });
    this.db.function('label_is', { deterministic: true }, labelIs);
  }

  /** Epoch milliseconds after which `alive()` and `checkDeadline` throw QUERY_TIMEOUT. */
  setDeadline(deadline: number): void {
    this.#deadline = deadline;
  }

  checkDeadline(): void {
    if (Date.now() > this.#deadline) {
      throw new ShiplogError(
        'QUERY_TIMEOUT',
        'The query took longer than the limit and was stopped. Narrow it.',
      );
    }
  }

  /** Prepared once; `returnArrays`: its rows are arrays, which is cheaper where there are many. */
  prepare(sql: string, returnArrays = false): StatementSync {
    const name = returnArrays ? `[]${sql}` : sql;
    const known = this.#statements.get(name);
    if (known !== undefined) return known;
    const statement = this.db.prepare(sql, { returnArrays });
    this.#statements.set(name, statement);
    return statement;
  }

  all<T = Row>(sql: string, ...params: Value[]): T[] {
    return this.prepare(sql).all(...params) as T[];
  }

  /**
   * Rows as arrays, in the order of the statement's columns. All at once: where `alive()` throws
   * under `iterate`, Node reports the next statement of the connection as failed too.
   */
  arrays<T extends unknown[]>(sql: string, params: Value[]): T[] {
    return this.prepare(sql, true).all(...params) as unknown as T[];
  }

  get<T = Row>(sql: string, ...params: Value[]): T | undefined {
    return this.prepare(sql).get(...params) as T | undefined;
  }

  run(sql: string, ...params: Value[]): void {
    this.prepare(sql).run(...params);
  }

  /** As `run`; how many rows it changed. */
  change(sql: string, ...params: Value[]): number {
    return Number(this.prepare(sql).run(...params).changes);
  }

  exec(sql: string): void {
    this.db.exec(sql);
  }

  /** What `body` reads is of one moment, and what it writes is there whole or not at all. */
  transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', body: () => T): T {
    this.run(begin);
    try {
      const result = body();
      this.run('COMMIT');
      return result;
    } catch (error) {
      // A full disk has rolled back already, and a blind ROLLBACK would hide it.
      if (this.db.isTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  /** Statements of dropped tables would keep failing; they are prepared anew. */
  forgetStatements(): void {
    this.#statements.clear();
  }

  close(): void {
    this.#statements.clear();
    this.db.close();
  }
}

function labelIs(labels: unknown, key: unknown, value: unknown): number {
  if (typeof labels !== 'string' || typeof key !== 'string') return 0;
  // `labels` is what JSON.stringify made; what is no JSON any more has no labels.
  const parsed = parsedOrEmpty(labels);
  return Object.hasOwn(parsed, key) && String(parsed[key]) === value ? 1 : 0;
}

function parsedOrEmpty(labels: string): Record<string, unknown> {
  try {
    return JSON.parse(labels) as Record<string, unknown>;
  } catch {
    return {};
  }
}

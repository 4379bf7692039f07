/** A list of views as a statement: its page and its total. */
import type { Page, PageRequest } from '../../domain/page.ts';
import { TOTAL_CAP } from '../../domain/page.ts';
import type { Connection, Sql } from './connection.ts';
import { type Range, type Row, rangeSql, readPage, type SortColumn } from './page.ts';
import type { Where } from './where.ts';

export interface List {
  /** Columns of a row, without those it is sorted by. */
  columns: string;
  from: string;
  where: Where;
  sort: readonly SortColumn[];
}

/** The sort columns come last, in their order. */
export function listSql(list: List, range: Range): Sql {
  const tail = rangeSql(list.sort, range);
  const keys = list.sort.map(({ expr }) => expr).join(', ');
  return {
    sql: `SELECT ${list.columns}, ${keys} FROM ${list.from}\nWHERE alive() AND ${list.where.sql}\n${tail.sql}`,
    params: [...list.where.params, ...tail.params],
  };
}

export function listCountSql(list: List): Sql {
  return {
    sql: `SELECT count(*) FROM (SELECT 1 FROM ${list.from}\nWHERE alive() AND ${list.where.sql}\nLIMIT ?)`,
    params: [...list.where.params, TOTAL_CAP + 1],
  };
}

export function readList<R extends unknown[], T>(
  connection: Connection,
  list: List,
  request: PageRequest,
  node: (rows: R[]) => T[],
): Page<T> {
  const keys = list.sort.length;
  const fetch = (range: Range): Row<R>[] => {
    const { sql, params } = listSql(list, range);
    return connection
      .arrays<R>(sql, params)
      .map((row) => ({ key: row.slice(-keys) as (string | number)[], row }));
  };
  const total = () => {
    const { sql, params } = listCountSql(list);
    return connection.arrays<[number]>(sql, params)[0]?.[0] ?? 0;
  };
  return readPage(request, fetch, total, node);
}

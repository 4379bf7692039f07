/** A list of views as a statement: its page and its total. */
import type { Page, PageRequest } from '../../../domain/cursor/page.ts';
import { TOTAL_CAP } from '../../../domain/cursor/page.ts';
import type { Connection, Sql } from '../file/connection.ts';
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

function listCountSql(list: List): Sql {
  return {
    sql: `SELECT count(*) FROM (SELECT 1 FROM ${list.from}\nWHERE alive() AND ${list.where.sql}\nLIMIT ?)`,
    params: [...list.where.params, TOTAL_CAP + 1],
  };
}

/** `parts`: the list, or parts of it that stand one behind the other in its order. */
export function readList<R extends unknown[], T>(
  connection: Connection,
  parts: readonly List[],
  request: PageRequest,
  node: (rows: R[]) => (T | null)[],
): Page<T> {
  const fetch = (range: Range): Row<R>[] => {
    const rows: Row<R>[] = [];
    for (const part of range.backward ? parts.toReversed() : parts) {
      const left = range.limit - rows.length;
      if (left <= 0) continue;
      for (const row of readPart<R>(connection, part, { ...range, limit: left })) rows.push(row);
    }
    return rows;
  };
  const total = () => {
    let counted = 0;
    for (const part of parts) {
      if (counted > TOTAL_CAP) break;
      const { sql, params } = listCountSql(part);
      counted += connection.arrays<[number]>(sql, params)[0]?.[0] ?? 0;
    }
    return counted;
  };
  return readPage(request, fetch, total, node);
}

function readPart<R extends unknown[]>(connection: Connection, part: List, range: Range): Row<R>[] {
  const { sql, params } = listSql(part, range);
  const keys = part.sort.length;
  return connection
    .arrays<R>(sql, params)
    .map((row) => ({ key: row.slice(-keys) as (string | number)[], row }));
}

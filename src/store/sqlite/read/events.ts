/** Reading events: pages by log order or by time, across days, and slices of the log. */

import { TOTAL_CAP } from '../../../domain/cursor/page.ts';
import type { StoredEvent } from '../../../domain/event/event.ts';
import type { EventFilter } from '../../../domain/search/filter.ts';
import type { EventPage, EventQuery, LogSlice, ShardCursor } from '../../store.ts';
import type { Connection } from '../file/connection.ts';
import { allDays, BLOCK_BITS, type Day } from '../file/days.ts';
import { SHARD } from '../file/epochs.ts';
import { type EventRow, eventOf, rowWeight } from '../file/event-row.ts';
import { DROPPED_THROUGH, readMeta, VIEWS_THROUGH } from '../file/meta.ts';
import {
  countSql,
  eventsSql,
  exactHosts,
  onlyUnwanted,
  type Scope,
  TIME_SORT,
  wantsWords,
  wordsCountSql,
} from '../query/events.ts';
import { compareKeys, type Range, type Row, readPage, type Weight } from '../query/page.ts';

/** Words that more events than this have are searched for block by block, the newest first. */
const COMMON = 2_000;
/** A slice of the log looks at no more seqs than this: a filter may let nothing through. */
const SLICE_SEQS = 100_000;
/** A slice of the log becomes one batch for a reader: what it holds weighs no more than this. */
const SLICE_BYTES = 1024 * 1024;
/** All pages of events of one call: what is asked for as rows is held as one text. */
const PAGES_BYTES = 16 * 1024 * 1024;

/** The days that a filter can have events in, with its task. */
export function scopesOf(
  connection: Connection,
  filter: EventFilter,
): { day: Day; scope: Scope }[] {
  const days = allDays(connection).filter(
    ({ min_at, max_at }) =>
      (filter.from === undefined || max_at >= filter.from) &&
      (filter.to === undefined || min_at < filter.to),
  );
  if (filter.taskId === undefined) {
    return days.map((day) => ({
      day,
      scope: { day: day.day, task: null, seqs: null, common: false },
    }));
  }
  const row = connection.get<{ key: number; day: number; first_seq: number }>(
    'SELECT key, day, first_seq FROM tasks WHERE id = ?',
    filter.taskId,
  );
  if (row === undefined) return [];
  // The task's own row may be behind the log.
  const last = connection.get<{ seq: number | null }>(
    `SELECT max(seq) AS seq FROM events_${row.day} WHERE task = ?`,
    row.key,
  );
  const task = { key: row.key, firstSeq: row.first_seq, lastSeq: last?.seq ?? 0 };
  return days
    .filter(({ day }) => day === row.day)
    .map((day) => ({ day, scope: { day: day.day, task, seqs: null, common: false } }));
}

/** For the pages of one call together. */
export function pagesWeight(): Weight<EventRow> {
  return { of: rowWeight, left: PAGES_BYTES };
}

/** A page that would be too heavy has fewer rows than it may have, and says that there are more. */
export function readEvents(
  connection: Connection,
  query: EventQuery,
  at: EventPage['at'],
  weight: Weight<EventRow>,
): EventPage {
  const { filter, order } = query;
  const scopes = scopesOf(connection, filter);
  const fetch = (range: Range): Row<EventRow>[] =>
    order === 'LOG'
      ? scopes.flatMap(({ scope }) => rows(connection, filter, scope, 'LOG', range))
      : byTime(connection, filter, scopes, range);
  const total = () => {
    let counted = 0;
    for (const { scope } of scopes) {
      connection.checkDeadline();
      const common = isCommon(connection, filter, scope);
      const { sql, params } = countSql(filter, { ...scope, common }, TOTAL_CAP + 1 - counted);
      counted += connection.arrays<[number]>(sql, params)[0]?.[0] ?? 0;
      if (counted > TOTAL_CAP) break;
    }
    return counted;
  };
  const page = readPage<EventRow, StoredEvent>(
    query.page,
    fetch,
    total,
    (found) => found.map(eventOf),
    weight,
  );
  return { ...page, at };
}

function rows(
  connection: Connection,
  filter: EventFilter,
  scope: Scope,
  order: 'LOG' | 'TIME',
  range: Range,
): Row<EventRow>[] {
  const { sql, params } = eventsSql(filter, scope, order, range);
  return connection
    .arrays<EventRow>(sql, params)
    .map((row) => ({ key: order === 'LOG' ? [row[0]] : [row[1], row[0]], row }));
}

/** Merges days, those first that reach furthest in the direction of reading. */
function byTime(
  connection: Connection,
  filter: EventFilter,
  scopes: { day: Day; scope: Scope }[],
  range: Range,
): Row<EventRow>[] {
  const top = new TopRows<EventRow>(range);
  const parts = top.sort(
    scopes.map(({ day, scope }) => ({ min: day.min_at, max: day.max_at, scope })),
  );
  for (const { min, max, scope } of parts) {
    if (!top.reaches(min, max)) continue;
    connection.checkDeadline();
    const common = isCommon(connection, filter, scope);
    const inBlocks = common || (scope.task === null && onlyUnwanted(filter));
    if (inBlocks && exactHosts(filter) === null) byBlocks(connection, filter, scope, top);
    else top.add(rows(connection, filter, { ...scope, common }, 'TIME', range));
  }
  return top.rows;
}

function isCommon(connection: Connection, filter: EventFilter, scope: Scope): boolean {
  if (!wantsWords(filter) || scope.task !== null) return false;
  const { sql, params } = wordsCountSql(filter, scope, COMMON + 1);
  return (connection.arrays<[number]>(sql, params)[0]?.[0] ?? 0) > COMMON;
}

/** The index of words is in order of the log; blocks say which part of it can hold what is wanted. */
function byBlocks(
  connection: Connection,
  filter: EventFilter,
  scope: Scope,
  top: TopRows<EventRow>,
): void {
  const blocks = connection.all<{ block: number; min: number; max: number }>(
    'SELECT block, min_at AS min, max_at AS max FROM blocks WHERE day = ?',
    scope.day,
  );
  for (const { block, min, max } of top.sort(blocks)) {
    if (!top.reaches(min, max)) continue;
    if (filter.from !== undefined && max < filter.from) continue;
    if (filter.to !== undefined && min >= filter.to) continue;
    connection.checkDeadline();
    const from = block * 2 ** BLOCK_BITS;
    const seqs = { from, to: from + 2 ** BLOCK_BITS - 1 };
    top.add(rows(connection, filter, { ...scope, seqs }, 'TIME', top.range));
  }
}

/** The first rows of a range by time, from parts of which only the least and greatest is known. */
class TopRows<R> {
  readonly range: Range;
  rows: Row<R>[] = [];

  constructor(range: Range) {
    this.range = range;
  }

  /** Parts in the order in which they are worth reading. */
  sort<P extends { min: number; max: number }>(parts: P[]): P[] {
    return this.range.backward
      ? parts.sort((a, b) => b.max - a.max)
      : parts.sort((a, b) => a.min - b.min);
  }

  /** Whether a part can have rows that belong among them. */
  reaches(min: number, max: number): boolean {
    const { after, before, backward, limit } = this.range;
    if (after !== null && max < Number(after.key[0])) return false;
    if (before !== null && min > Number(before.key[0])) return false;
    if (this.rows.length < limit) return true;
    const worst = Number(this.rows.at(-1)?.key[0]);
    return backward ? max >= worst : min <= worst;
  }

  add(found: Row<R>[]): void {
    if (found.length === 0) return;
    const turn = this.range.backward ? -1 : 1;
    this.rows = [...this.rows, ...found]
      .sort((a, b) => turn * compareKeys(TIME_SORT, a.key, b.key))
      .slice(0, this.range.limit);
  }
}

/** Events with seq in (after, to] that match, oldest first. */
export function readLog(
  connection: Connection,
  after: number,
  to: number,
  filter: EventFilter | null,
  limit: number,
): LogSlice {
  const last = Math.min(to, after + SLICE_SEQS);
  const droppedThrough = readMeta(connection, DROPPED_THROUGH);
  if (last <= after) return { events: [], through: after, droppedThrough };
  const range: Range = { backward: false, after: null, before: null, limit };
  const found: EventRow[] = [];
  for (const { day, scope } of scopesOf(connection, filter ?? {})) {
    connection.checkDeadline();
    if (day.last_seq <= after || day.first_seq > last) continue;
    const slice = { ...scope, seqs: { from: after + 1, to: last } };
    for (const { row } of rows(connection, filter ?? {}, slice, 'LOG', range)) found.push(row);
  }
  const inOrder = found.sort((a, b) => a[0] - b[0]).slice(0, limit);
  let bytes = 0;
  const heavy = inOrder.findIndex((row) => {
    bytes += rowWeight(row);
    return bytes >= SLICE_BYTES;
  });
  const events = heavy < 0 ? inOrder : inOrder.slice(0, heavy + 1);
  const full = found.length >= limit || events.length < inOrder.length;
  return {
    events: events.map(eventOf),
    through: full ? (events.at(-1)?.[0] ?? last) : last,
    droppedThrough,
  };
}

/** Where the log stands in this transaction. */
export function headSeq(connection: Connection): number {
  const row = connection.get<{ seq: number | null }>('SELECT max(last_seq) AS seq FROM days');
  return Math.max(row?.seq ?? 0, readMeta(connection, DROPPED_THROUGH));
}

export function headCursor(connection: Connection, epoch: number): EventPage['at'] {
  return [{ shard: SHARD, history: epoch, seq: headSeq(connection) }];
}

/** Where the views stand in this transaction. */
export function viewsCursor(connection: Connection, epoch: number): ShardCursor {
  return { shard: SHARD, history: epoch, seq: readMeta(connection, VIEWS_THROUGH) };
}

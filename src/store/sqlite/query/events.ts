/**
 * Statements over the events of one day, as pure functions. Which index leads is decided here and
 * said in the statement, for the planner knows no sizes: words, else runs, else the task, else
 * the severe ones, else time.
 */
import { LOG_LEVELS } from '../../../domain/event/event.ts';
import type { EventFilter } from '../../../domain/search/filter.ts';
import type { EventOrder } from '../../store.ts';
import { kinds, levels, SEVERE, stepStatuses, streams } from '../file/codes.ts';
import type { Sql, Value } from '../file/connection.ts';
import { EVENT_COLUMNS } from '../file/event-row.ts';
import { addFieldTerms, fieldTerms, type Match, matchOf, wordsTerms } from './match.ts';
import { type Range, rangeSql, type SortColumn } from './page.ts';
import { Where } from './where.ts';

const LOG_SORT: readonly SortColumn[] = [{ expr: 'e.seq', desc: false }];
export const TIME_SORT: readonly SortColumn[] = [
  { expr: 'e.at', desc: false },
  { expr: 'e.seq', desc: false },
];
/** The same order, read off the index of words. */
const MATCH_SORT: readonly SortColumn[] = [{ expr: 'w.rowid', desc: false, fullText: true }];

/** What is known about the day and the filter's task before the statement is made. */
export interface Scope {
  day: number;
  /** The filter's task; its seqs bound the search for words. */
  task: { key: number; firstSeq: number; lastSeq: number } | null;
  /** Seqs to look at, both inclusive: a block, a slice of the log. */
  seqs: { from: number; to: number } | null;
  /** So many events have the words that another index should lead, if there is one. */
  common: boolean;
}

/** Hosts named in full, by the filter or the search: their runs can lead. */
export function exactHosts(filter: EventFilter): string[] | null {
  const listed = filter.hosts ?? [];
  if (listed.length > 0 && listed.every((host) => !host.endsWith('*'))) return listed;
  const term = fieldTerms(filter.search).find(
    ({ field, negated, prefix }) => field === 'host' && !negated && !prefix,
  );
  return term === undefined ? null : [term.value];
}

function onlySevere(filter: EventFilter): boolean {
  const isSevere = (level: string) => levels.code(level) >= SEVERE;
  if (filter.minLevel !== undefined && isSevere(filter.minLevel)) return true;
  const { levels: listed } = filter;
  if (listed !== undefined && listed.length > 0 && listed.every(isSevere)) return true;
  return fieldTerms(filter.search).some(
    ({ field, value, negated }) => field === 'level' && !negated && isSevere(value),
  );
}

function conditions(filter: EventFilter): Where {
  const where = new Where()
    .in(
      'e.kind',
      filter.kinds?.map((kind) => kinds.code(kind)),
    )
    .in('e.service', filter.services)
    .in('e.environment', filter.environments)
    .hosts('e.host', filter.hosts)
    .in('e.step', filter.steps)
    .in('e.attempt', filter.attempts)
    .in(
      'e.level',
      filter.levels?.map((level) => levels.code(level)),
    )
    .in(
      'e.status',
      filter.statuses?.map((status) => stepStatuses.code(status)),
    )
    .in(
      'e.stream',
      filter.streams?.map((stream) => streams.code(stream)),
    )
    .in('e.source', filter.sources)
    .from('e.at', filter.from)
    .to('e.at', filter.to);
  if (filter.minLevel !== undefined) {
    where.add('e.level >= ?', LOG_LEVELS.indexOf(filter.minLevel));
  }
  addFieldTerms(where, filter.search);
  return where.labels('e.labels', filter.labels);
}

/** FROM and WHERE without the range; `byWords`: the index of words leads. */
interface Source {
  from: string;
  where: Where;
  byWords: boolean;
}

/** What a statement does with the events that it finds, which decides how it finds them. */
type Use = 'log' | 'time' | 'all';

function source(filter: EventFilter, scope: Scope, use: Use): Source {
  const events = `events_${scope.day}`;
  const match = matchOf(wordsTerms(filter.search));
  const where = new Where().add('alive()');
  const joinTask = 'CROSS JOIN tasks t ON t.key = e.task';
  const hostsLead = scope.common && scope.seqs === null && exactHosts(filter) !== null;
  if (match.wanted !== null && !hostsLead) {
    addMatch(where, scope, match);
    addTask(where, scope);
    merge(where, conditions(filter));
    const from = `words_${scope.day} w CROSS JOIN ${events} e ON e.seq = w.rowid ${joinTask}`;
    return { from, where, byWords: true };
  }
  const words = `SELECT 1 FROM words_${scope.day} w WHERE words_${scope.day} MATCH ? AND w.rowid = e.seq`;
  const index = leadingIndex(filter, scope, use, where);
  if (scope.seqs !== null) {
    where.add('e.seq >= ?', scope.seqs.from).add('e.seq <= ?', scope.seqs.to);
  }
  merge(where, conditions(filter));
  if (match.wanted !== null) where.add(`EXISTS (${words})`, match.wanted);
  if (match.unwanted !== null) {
    // The first rows of many are checked one by one; where all of a range are read, once for all.
    if (use === 'all' || scope.seqs !== null) addUnwanted(where, scope, match.unwanted);
    else where.add(`NOT EXISTS (${words})`, match.unwanted);
  }
  const hint = index === null ? 'NOT INDEXED' : `INDEXED BY ${events}_${index}`;
  return { from: `${events} e ${hint} ${joinTask}`, where, byWords: false };
}

/** A range of `at` that is short whatever the size of the task. */
const SHORT_RANGE_MS = 60_000;
/** A task of so many seqs is better not looked through for a short range. */
const LARGE_TASK = 20_000;

function leadingIndex(filter: EventFilter, scope: Scope, use: Use, where: Where): string | null {
  const hosts = exactHosts(filter);
  if (use === 'time' && scope.seqs === null && isMomentOfLargeTask(filter, scope)) {
    addTask(where, scope);
    return 'at';
  }
  // A slice of the log is short already.
  if (hosts !== null && scope.seqs === null) {
    const names = hosts.map(() => '?').join(', ');
    if (scope.task !== null) {
      // For one run the index is in the order of the log; for several the rows would be sorted.
      const runs = hosts.length === 1 ? '=' : 'IN';
      where.add(
        `e.run ${runs} (SELECT r.key FROM runs r WHERE r.task = ? AND r.host IN (${names}))`,
        scope.task.key,
        ...hosts,
      );
    } else {
      where.add(
        `e.run IN (SELECT r.key FROM runs r JOIN tasks rt ON rt.key = r.task WHERE r.host IN (${names}) AND rt.day = ?)`,
        ...hosts,
        scope.day,
      );
    }
    return 'run';
  }
  addTask(where, scope);
  if (scope.task !== null) return 'task';
  if (use === 'log' || scope.seqs !== null) return null;
  if (!onlySevere(filter)) return 'at';
  // Literally as the index says it, or it cannot be used.
  where.add(`e.level >= ${SEVERE}`);
  return 'severe';
}

function isMomentOfLargeTask({ from, to }: EventFilter, { task }: Scope): boolean {
  if (from === undefined || to === undefined || task === null) return false;
  return to - from <= SHORT_RANGE_MS && task.lastSeq - task.firstSeq >= LARGE_TASK;
}

function addTask(where: Where, { task }: Scope): void {
  if (task !== null) where.add('e.task = ?', task.key);
}

function addMatch(where: Where, scope: Scope, match: Match): void {
  where.add(`words_${scope.day} MATCH ?`, match.wanted);
  const from = Math.max(scope.seqs?.from ?? 0, scope.task?.firstSeq ?? 0);
  const to = Math.min(scope.seqs?.to ?? Infinity, scope.task?.lastSeq ?? Infinity);
  if (from > 0) where.add('w.rowid >= CAST(? AS INTEGER)', from);
  if (to < Infinity) where.add('w.rowid <= CAST(? AS INTEGER)', to);
}

function addUnwanted(where: Where, scope: Scope, unwanted: string): void {
  const found = new Where().add('alive()');
  addMatch(found, scope, { wanted: unwanted, unwanted: null });
  where.add(
    `e.seq NOT IN (SELECT w.rowid FROM words_${scope.day} w WHERE ${found.sql})`,
    ...found.params,
  );
}

function merge(where: Where, more: Where): void {
  if (more.sql !== '1') where.add(more.sql, ...more.params);
}

/** A range of the day's events in the order asked for; columns: EVENT_COLUMNS. */
export function eventsSql(
  filter: EventFilter,
  scope: Scope,
  order: EventOrder,
  range: Range,
  columns = EVENT_COLUMNS,
): Sql {
  const { from, where, byWords } = source(filter, scope, order === 'LOG' ? 'log' : 'time');
  const sort = order === 'LOG' ? (byWords ? MATCH_SORT : LOG_SORT) : TIME_SORT;
  const tail = rangeSql(sort, range);
  return {
    sql: `SELECT ${columns} FROM ${from}\nWHERE ${where.sql}\n${tail.sql}`,
    params: [...where.params, ...tail.params],
  };
}

/** How many events match, but no more than `limit`. */
export function countSql(filter: EventFilter, scope: Scope, limit: number): Sql {
  const { from, where } = source(filter, scope, 'all');
  return {
    sql: `SELECT count(*) FROM (SELECT 1 FROM ${from}\nWHERE ${where.sql}\nLIMIT ?)`,
    params: [...where.params, limit],
  };
}

/** Aggregates over all that match: `select` may use alias `e`. */
export function aggregateSql(
  filter: EventFilter,
  scope: Scope,
  select: string,
  params: Value[],
  groupBy: string,
): Sql {
  const { from, where } = source(filter, scope, 'all');
  return {
    sql: `SELECT ${select} FROM ${from}\nWHERE ${where.sql}\n${groupBy}`,
    params: [...params, ...where.params],
  };
}

/** Whether more than `limit` events have the words, whatever else is asked. */
export function wordsCountSql(filter: EventFilter, scope: Scope, limit: number): Sql {
  const where = new Where();
  addMatch(where, scope, matchOf(wordsTerms(filter.search)));
  return {
    sql: `SELECT count(*) FROM (SELECT 1 FROM words_${scope.day} w WHERE ${where.sql} LIMIT ?)`,
    params: [...where.params, limit],
  };
}

/** Words are only unwanted, and no index leads to fewer events than those of the day. */
export function onlyUnwanted(filter: EventFilter): boolean {
  const { wanted, unwanted } = matchOf(wordsTerms(filter.search));
  return wanted === null && unwanted !== null && !onlySevere(filter);
}

export function wantsWords(filter: EventFilter): boolean {
  return matchOf(wordsTerms(filter.search)).wanted !== null;
}

/**
 * Events over time. What asks for nothing but time and level is counted ahead, by second, minute
 * and hour; only the ends of the range, where it cuts a second, are read from the events.
 */

import { LOG_LEVELS } from '../../../domain/event/event.ts';
import type { EventHistogram } from '../../../domain/fold/views.ts';
import { histogramGrid } from '../../../domain/histogram.ts';
import type { EventFilter } from '../../../domain/search/filter.ts';
import { levels } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import { ROLLUP_SPANS } from '../file/days.ts';
import { aggregateSql } from '../query/events.ts';
import { Where } from '../query/where.ts';
import { scopesOf } from './events.ts';

/** `at`: any moment of the second that is counted. */
type Count = [at: number, level: number, events: number];
type Range = { from: number; to: number };

const COUNTED_AHEAD: ReadonlySet<string> = new Set(['from', 'to', 'levels', 'minLevel']);

export function readHistogram(
  connection: Connection,
  filter: EventFilter,
  buckets: number,
): EventHistogram {
  const ahead = Object.entries(filter).every(
    ([name, value]) => value === undefined || COUNTED_AHEAD.has(name),
  );
  const scanned = ahead ? null : scan(connection, filter);
  const range = ahead
    ? rangeOf(filter, () => rollupEnds(connection, filter))
    : rangeOf(filter, () => ends(scanned ?? []));
  if (range === null) return { intervalMs: ROLLUP_SPANS[0], total: 0, buckets: [] };
  const { intervalMs, start, count } = histogramGrid(range.from, range.to, buckets);
  const cells = Array.from({ length: count }, () => LOG_LEVELS.map(() => 0));
  const counts = scanned ?? rollup(connection, filter, range, intervalMs);
  for (const [at, level, events] of counts) {
    const cell = cells[Math.floor((at - start) / intervalMs)];
    if (cell !== undefined) cell[level] = (cell[level] ?? 0) + events;
  }
  return histogramOf(intervalMs, start, cells);
}

function histogramOf(intervalMs: number, start: number, cells: number[][]): EventHistogram {
  const sum = (cell: number[]) => cell.reduce((total, events) => total + events, 0);
  const buckets = cells.map((cell, at) => ({
    at: start + at * intervalMs,
    total: sum(cell),
    byLevel: cell.flatMap((count, level) =>
      count === 0 ? [] : [{ level: levels.name(level), count }],
    ),
  }));
  return { intervalMs, total: buckets.reduce((total, bucket) => total + bucket.total, 0), buckets };
}

/** The filter's own ends, and where it has none, those of what is there. */
function rangeOf(filter: EventFilter, there: () => Range | null): Range | null {
  const { from, to } = filter;
  if (from !== undefined && to !== undefined) return from < to ? { from, to } : null;
  const found = there();
  if (found === null) return null;
  const range = { from: from ?? found.from, to: to ?? found.to };
  return range.from < range.to ? range : null;
}

function ends(counts: Count[]): Range | null {
  if (counts.length === 0) return null;
  let from = Infinity;
  let to = -Infinity;
  for (const [at] of counts) {
    from = Math.min(from, at);
    to = Math.max(to, at + 1);
  }
  return { from, to };
}

/** Counts by second of whatever the filter selects. */
function scan(connection: Connection, filter: EventFilter): Count[] {
  const counts: Count[] = [];
  for (const { scope } of scopesOf(connection, filter)) {
    connection.checkDeadline();
    const { sql, params } = aggregateSql(
      filter,
      scope,
      'min(e.at), e.level, count(*)',
      [],
      'GROUP BY e.at / 1000 - (e.at % 1000 < 0), e.level',
    );
    for (const count of connection.arrays<Count>(sql, params)) counts.push(count);
  }
  return counts;
}

function levelWhere(filter: EventFilter): Where {
  const where = new Where().in(
    'level',
    filter.levels?.map((level) => levels.code(level)),
  );
  if (filter.minLevel !== undefined) where.add('level >= ?', levels.code(filter.minLevel));
  return where;
}

/** The first and the last second that is counted, by way of their hours. */
function rollupEnds(connection: Connection, filter: EventFilter): Range | null {
  const level = levelWhere(filter);
  const hour = ROLLUP_SPANS[2];
  const end = (span: number, which: 'min' | 'max', within: Range): number | null =>
    connection.arrays<[number | null]>(
      `SELECT ${which}(at) FROM rollups WHERE span = ? AND at >= ? AND at < ? AND ${level.sql}`,
      [span, within.from, within.to, ...level.params],
    )[0]?.[0] ?? null;
  const all = {
    from: Math.floor((filter.from ?? -Number.MAX_SAFE_INTEGER) / hour) * hour,
    to: filter.to ?? Number.MAX_SAFE_INTEGER,
  };
  const first = end(hour, 'min', all);
  const last = end(hour, 'max', all);
  if (first === null || last === null) return null;
  return {
    from: end(ROLLUP_SPANS[0], 'min', { from: first, to: first + hour }) ?? first,
    to: (end(ROLLUP_SPANS[0], 'max', { from: last, to: last + hour }) ?? last) + ROLLUP_SPANS[0],
  };
}

/** Counts over a range, of the widest spans that its buckets are made of. */
function rollup(
  connection: Connection,
  filter: EventFilter,
  range: Range,
  intervalMs: number,
): Count[] {
  const widest = ROLLUP_SPANS.findLastIndex((span) => intervalMs % span === 0);
  const level = levelWhere(filter);
  const read = ({ from, to }: Range, index: number): Count[] => {
    if (from >= to) return [];
    const span = ROLLUP_SPANS[index];
    if (span === undefined) return scan(connection, { ...filter, from, to });
    const whole = { from: Math.ceil(from / span) * span, to: Math.floor(to / span) * span };
    if (whole.from >= whole.to) {
      // No whole span: cut where one ends, or the parts would be looked for in vain.
      return read({ from, to }, index - 1);
    }
    return [
      ...read({ from, to: whole.from }, index - 1),
      ...connection.arrays<Count>(
        `SELECT at, level, sum(events) FROM rollups
         WHERE alive() AND span = ? AND at >= ? AND at < ? AND ${level.sql} GROUP BY at, level`,
        [span, whole.from, whole.to, ...level.params],
      ),
      ...read({ from: whole.to, to }, index - 1),
    ];
  };
  return read(range, widest);
}

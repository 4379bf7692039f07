/** What is asked of single runs, steps and hosts: their last lines, gaps, reliability. */

import { ANSWER_MAX, tooHeavyLines } from '../../../domain/answer-bounds.ts';
import type { StoredEvent } from '../../../domain/event/event.ts';
import type { Completeness, HostReliability } from '../../../domain/fold/views.ts';
import type { RunKey, StepKey } from '../../store.ts';
import { kinds, runStatuses, stepStatuses } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import { EVENT_COLUMNS, type EventRow, eventOf, ROW_WEIGHT } from '../file/event-row.ts';

interface RunPlace {
  key: number;
  task: number;
  day: number;
}

/** Where the run's rows are. Called for each run, it looks at the deadline between them. */
function place(connection: Connection, { taskId, host }: RunKey): RunPlace | undefined {
  connection.checkDeadline();
  return connection.get<RunPlace>(
    `SELECT r.key, r.task, t.day FROM tasks t JOIN runs r ON r.task = t.key
     WHERE t.id = ? AND r.host = ?`,
    taskId,
    host,
  );
}

interface LinesOf {
  day: number;
  params: (string | number)[];
}

function linesSql(day: number, columns: string): string {
  return `SELECT ${columns} FROM events_${day} e INDEXED BY events_${day}_run
    CROSS JOIN tasks t ON t.key = e.task
    WHERE alive() AND e.run = ? AND e.step = ? AND e.kind = ?
      AND e.attempt = (SELECT max(a.attempt) FROM events_${day} a
        WHERE alive() AND a.run = ? AND a.step = ?)
    ORDER BY e.seq DESC LIMIT ?`;
}

/** The newest lines of each step's highest attempt, oldest first. */
export function readLastLines(
  connection: Connection,
  keys: readonly StepKey[],
  count: number,
): StoredEvent[][] {
  const steps = keys.map((key): LinesOf | null => {
    const run = place(connection, key);
    if (run === undefined) return null;
    return {
      day: run.day,
      params: [run.key, key.step, kinds.code('OUTPUT'), run.key, key.step],
    };
  });
  const most = linesThatFit(connection, steps, count);
  return steps.map((step) => {
    if (step === null) return [];
    connection.checkDeadline();
    const rows = connection.arrays<EventRow>(linesSql(step.day, EVENT_COLUMNS), [
      ...step.params,
      most,
    ]);
    return rows.reverse().map(eventOf);
  });
}

/** How many lines of each step are, together, not too heavy. Lengths are read without the texts. */
function linesThatFit(
  connection: Connection,
  steps: readonly (LinesOf | null)[],
  count: number,
): number {
  /** By age, the newest first: what the lines of all steps weigh. */
  const weights = new Array<number>(count).fill(0);
  for (const step of steps) {
    if (step === null) continue;
    connection.checkDeadline();
    const rows = connection.arrays<[number]>(linesSql(step.day, ROW_WEIGHT), [
      ...step.params,
      count,
    ]);
    for (const [age, [weight]] of rows.entries()) weights[age] = (weights[age] ?? 0) + weight;
  }
  let left = ANSWER_MAX;
  const fitting = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  if (fitting === 0) throw tooHeavyLines();
  return fitting < 0 ? count : fitting;
}

const MAX_RANGES = 100;

/** Counts by writer; only where they differ, which numbers are missing. */
export function readCompleteness(connection: Connection, keys: readonly RunKey[]): Completeness[] {
  return keys.map((key) => {
    const run = place(connection, key);
    if (run === undefined) return { received: 0, complete: null, missing: [] };
    const writers = connection.all<{
      writer: string | null;
      events: number;
      numbers: number;
      last: number | null;
    }>(
      `SELECT writer, count(*) AS events, count(DISTINCT sequence) AS numbers, max(sequence) AS last
       FROM events_${run.day} WHERE alive() AND run = ? GROUP BY writer ORDER BY writer`,
      run.key,
    );
    const numbered = writers.filter(({ writer, last }) => writer !== null && last !== null);
    const missing = numbered
      .filter(({ numbers, last }) => numbers < (last ?? 0))
      .flatMap(({ writer, last }) => gaps(connection, run, writer as string, last ?? 0));
    return {
      received: writers.reduce((sum, { events }) => sum + events, 0),
      complete: numbered.length === 0 ? null : missing.length === 0,
      missing: missing.slice(0, MAX_RANGES),
    };
  });
}

function gaps(
  connection: Connection,
  run: RunPlace,
  writer: string,
  last: number,
): Completeness['missing'] {
  const found = connection.arrays<[sequence: number]>(
    `SELECT DISTINCT sequence FROM events_${run.day}
     WHERE alive() AND run = ? AND writer = ? AND sequence IS NOT NULL ORDER BY sequence`,
    [run.key, writer],
  );
  const missing: Completeness['missing'] = [];
  let next = 1;
  for (const [sequence] of found) {
    if (sequence > next) missing.push({ writer, from: next, to: sequence - 1 });
    if (missing.length >= MAX_RANGES) return missing;
    next = Math.max(next, sequence + 1);
  }
  if (next <= last) missing.push({ writer, from: next, to: last });
  return missing;
}

/** Of the runs that began in [from, to). */
export function readReliability(
  connection: Connection,
  hosts: readonly string[],
  from: number | null,
  to: number | null,
): HostReliability[] {
  const range = 'alive() AND r.host = ? AND r.started_at >= ? AND r.started_at < ?';
  const least = from ?? -Number.MAX_SAFE_INTEGER + 1;
  const most = to ?? Number.MAX_SAFE_INTEGER;
  const failed = runStatuses.code('FAILED');
  return hosts.map((host) => {
    const counts = connection.get<{ runs: number; failed: number }>(
      `SELECT count(*) AS runs, count(*) FILTER (WHERE status = ?) AS failed FROM runs r WHERE ${range}`,
      failed,
      host,
      least,
      most,
    );
    const worst = connection.get<{ name: string }>(
      `SELECT s.name FROM runs r JOIN steps s ON s.task = r.task AND s.run = r.key
       WHERE ${range} AND s.status IN (?, ?)
       GROUP BY s.name ORDER BY count(*) DESC, s.name LIMIT 1`,
      host,
      least,
      most,
      stepStatuses.code('FAILED'),
      stepStatuses.code('TIMED_OUT'),
    );
    const runs = counts?.runs ?? 0;
    return {
      runs,
      failed: counts?.failed ?? 0,
      failureRate: runs === 0 ? null : (counts?.failed ?? 0) / runs,
      worstStep: worst?.name ?? null,
    };
  });
}

/** How a task's runs and steps stand, in numbers. */
import { LRUCache } from 'lru-cache';
import { noRuns, RUN_COUNTS, summariseSteps } from '../../../domain/fold/task-stats.ts';
import type { TaskStats } from '../../../domain/fold/views.ts';
import { NEVER, runStatuses, stepStatuses } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import { taskViewOrEmpty } from './task-row.ts';

/** Of a task as of its newest event: computed again only when another one came. */
export class TaskStatsCache {
  readonly entries = new LRUCache<number, { seq: number; stats: TaskStats }>({ max: 2_000 });
}

export function readTaskStats(
  connection: Connection,
  ids: readonly string[],
  staleBefore: number,
  cache: TaskStatsCache,
): TaskStats[] {
  return ids.map((id) => {
    const task = connection.get<{ key: number; seq: number; view: string }>(
      'SELECT key, seq, view FROM tasks WHERE id = ? AND seq > 0',
      id,
    );
    if (task === undefined) return { runCounts: noRuns(), stepSummaries: [] };
    let cached = cache.entries.get(task.key);
    if (cached === undefined || cached.seq !== task.seq) {
      const { plan } = taskViewOrEmpty(connection, id, task.view);
      cached = { seq: task.seq, stats: compute(connection, task.key, plan) };
      cache.entries.set(task.key, cached);
    }
    const { runCounts, stepSummaries } = cached.stats;
    const stale = runCounts.running === 0 ? 0 : countStale(connection, task.key, staleBefore);
    return { runCounts: { ...runCounts, stale }, stepSummaries };
  });
}

/** Silence is not an event, so it is not cached. */
function countStale(connection: Connection, task: number, staleBefore: number): number {
  const row = connection.get<{ n: number }>(
    'SELECT count(*) AS n FROM runs WHERE alive() AND task = ? AND status = ? AND last_event_at < ?',
    task,
    runStatuses.code('RUNNING'),
    staleBefore,
  );
  return row?.n ?? 0;
}

function compute(connection: Connection, task: number, plan: string[]): TaskStats {
  connection.checkDeadline();
  const runCounts = noRuns();
  const runs = connection.arrays<[status: number, n: number]>(
    'SELECT status, count(*) FROM runs WHERE alive() AND task = ? AND base >= 0 GROUP BY status',
    [task],
  );
  for (const [status, n] of runs) {
    runCounts.total += n;
    runCounts[RUN_COUNTS[runStatuses.name(status)]] += n;
  }
  const steps = connection.arrays<[name: string, status: number, duration: number]>(
    'SELECT name, status, duration FROM steps WHERE alive() AND task = ?',
    [task],
  );
  const figures = steps.map(([name, status, duration]) => ({
    name,
    status: stepStatuses.name(status),
    durationMs: duration === NEVER ? null : duration,
  }));
  return { runCounts, stepSummaries: summariseSteps(figures, plan) };
}

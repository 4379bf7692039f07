/** How a task's runs and steps stand, in numbers. */
import { LRUCache } from 'lru-cache';
import type { RunStatus, StepStatus } from '../../../domain/event/event.ts';
import { stepOrder } from '../../../domain/fold/board-bounds.ts';
import type { RunCounts, StepSummary, TaskStats } from '../../../domain/fold/views.ts';
import { percentileMs, wholeMs } from '../../../domain/percentile.ts';
import { NEVER, runStatuses, stepStatuses } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';

/** Of a task as of its newest event: computed again only when another one came. */
export class TaskStatsCache {
  readonly entries = new LRUCache<number, { seq: number; stats: TaskStats }>({ max: 2_000 });
}

const NO_COUNTS: RunCounts = {
  total: 0,
  pending: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  notRun: 0,
  stale: 0,
};

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
    if (task === undefined) return { runCounts: { ...NO_COUNTS }, stepSummaries: [] };
    let cached = cache.entries.get(task.key);
    if (cached === undefined || cached.seq !== task.seq) {
      const { plan } = JSON.parse(task.view) as { plan: string[] };
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
  const runCounts = { ...NO_COUNTS };
  const runs = connection.arrays<[status: number, n: number]>(
    'SELECT status, count(*) FROM runs WHERE alive() AND task = ? AND base >= 0 GROUP BY status',
    [task],
  );
  for (const [status, n] of runs) {
    runCounts.total += n;
    runCounts[RUN_FIELDS[runStatuses.name(status)]] += n;
  }
  const steps = connection.arrays<[name: string, status: number, duration: number]>(
    'SELECT name, status, duration FROM steps WHERE alive() AND task = ?',
    [task],
  );
  return { runCounts, stepSummaries: summarise(steps, plan) };
}

const RUN_FIELDS = {
  PENDING: 'pending',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  NOT_RUN: 'notRun',
} as const satisfies Record<RunStatus, keyof RunCounts>;

const STEP_FIELDS = {
  PENDING: 'pending',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  SKIPPED: 'skipped',
  TIMED_OUT: 'timedOut',
  CANCELLED: 'cancelled',
  NOT_RUN: 'notRun',
} as const satisfies Record<StepStatus, keyof StepSummary>;

function summarise(
  steps: [name: string, status: number, duration: number][],
  plan: string[],
): StepSummary[] {
  const found = new Map<string, { summary: StepSummary; durations: number[] }>();
  for (const name of plan) found.set(name, { summary: emptySummary(name), durations: [] });
  for (const [name, status, duration] of steps) {
    let entry = found.get(name);
    if (entry === undefined) {
      entry = { summary: emptySummary(name), durations: [] };
      found.set(name, entry);
    }
    entry.summary[STEP_FIELDS[stepStatuses.name(status)]]++;
    if (duration !== NEVER) entry.durations.push(duration);
  }
  return stepOrder(plan, found.keys()).map((name) => {
    const { summary, durations } = found.get(name) ?? {
      summary: emptySummary(name),
      durations: [],
    };
    const sorted = Float64Array.from(durations).sort();
    return {
      ...summary,
      p50Ms: percentileMs(sorted, 50),
      p95Ms: percentileMs(sorted, 95),
      maxMs: wholeMs(sorted.at(-1) ?? null),
    };
  });
}

function emptySummary(step: string): StepSummary {
  return {
    step,
    pending: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    timedOut: 0,
    cancelled: 0,
    notRun: 0,
    p50Ms: null,
    p95Ms: null,
    maxMs: null,
  };
}

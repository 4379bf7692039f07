/** A worker thread with a connection that only reads: every query, one at a time. */
import { workerData } from 'node:worker_threads';
import type { EventFilter, StepFilter } from '../../../domain/search/filter.ts';
import type {
  EventQuery,
  HostQuery,
  RunKey,
  RunQuery,
  ShardCursor,
  StepGroupBy,
  StepKey,
  StepQuery,
  TaskQuery,
} from '../../store.ts';
import { Connection } from '../file/connection.ts';
import { checkCursor } from '../file/epochs.ts';
import { readCompleteness, readLastLines, readReliability } from '../read/details.ts';
import {
  headCursor,
  headSeq,
  pagesWeight,
  readEvents,
  readLog,
  viewsCursor,
} from '../read/events.ts';
import { readFailureGroups } from '../read/failures.ts';
import { readHistogram } from '../read/histogram.ts';
import {
  readBoard,
  readHosts,
  readHostsByName,
  readRuns,
  readRunsByKey,
  readSteps,
  readStepsByKey,
  readTasks,
  readTasksById,
  readTasksChangedSince,
} from '../read/lists.ts';
import { readMatrices } from '../read/matrix.ts';
import { readStepStats } from '../read/step-stats.ts';
import { readTaskStats, TaskStatsCache } from '../read/task-stats.ts';
import { serve, workerLog } from './worker-side.ts';

export interface ReaderData {
  file: string;
  epoch: number;
  staleAfterMs: number;
}

function open({ file, epoch, staleAfterMs }: ReaderData) {
  const c = new Connection(file, { readOnly: true, log: workerLog });
  c.exec(`
    PRAGMA query_only = ON;
    PRAGMA cache_size = -32768;
    PRAGMA mmap_size = 1073741824;
    PRAGMA temp_store = MEMORY;
  `);
  const stats = new TaskStatsCache();
  const operations = {
    readLog: (after: number, to: number, filter: EventFilter | null, limit: number) =>
      readLog(c, after, to, filter, limit),
    checkCursors: (cursors: ShardCursor[]) => {
      const head = headSeq(c);
      return cursors.map((cursor) => checkCursor(c, cursor, head));
    },
    events: (queries: EventQuery[]) => {
      const at = headCursor(c, epoch);
      const weight = pagesWeight();
      return queries.map((query) => readEvents(c, query, at, weight));
    },
    tasks: (query: TaskQuery) => readTasks(c, query),
    tasksById: (ids: string[]) => readTasksById(c, ids),
    tasksChangedSince: (after: number, limit: number) =>
      readTasksChangedSince(c, after, limit, viewsCursor(c, epoch)),
    taskStats: (ids: string[], now: number) => readTaskStats(c, ids, now - staleAfterMs, stats),
    runs: (queries: RunQuery[], now: number) =>
      queries.map((query) => readRuns(c, query, now - staleAfterMs)),
    runsByKey: (keys: RunKey[]) => readRunsByKey(c, keys),
    steps: (queries: StepQuery[]) => queries.map((query) => readSteps(c, query)),
    stepsByKey: (keys: StepKey[]) => readStepsByKey(c, keys),
    hosts: (query: HostQuery) => readHosts(c, query),
    hostsByName: (names: string[]) => readHostsByName(c, names),
    lastLines: (keys: StepKey[], count: number) => readLastLines(c, keys, count),
    completeness: (keys: RunKey[]) => readCompleteness(c, keys),
    reliability: (hosts: string[], from: number | null, to: number | null) =>
      readReliability(c, hosts, from, to),
    matrices: (taskIds: string[], now: number) =>
      readMatrices(c, taskIds, now - staleAfterMs, [viewsCursor(c, epoch)]),
    board: (taskId: string) => readBoard(c, taskId, [viewsCursor(c, epoch)]),
    stepStats: (filter: StepFilter, groupBy: StepGroupBy) => readStepStats(c, filter, groupBy),
    eventHistogram: (filter: EventFilter, buckets: number) => readHistogram(c, filter, buckets),
    failureGroups: (queries: { filter: StepFilter; first: number }[]) =>
      queries.map(({ filter, first }) => readFailureGroups(c, filter, first)),
    eventCount: () =>
      c.get<{ n: number }>('SELECT coalesce(sum(events), 0) AS n FROM days')?.n ?? 0,
    idleTasks: (before: number, limit: number) =>
      c.all<{ taskId: string; lastEventAt: number }>(
        `SELECT id AS taskId, last_event_at AS lastEventAt FROM tasks
         WHERE alive() AND over = 0 AND seq > 0 AND last_event_at < ? ORDER BY last_event_at LIMIT ?`,
        before,
        limit,
      ),
  };
  return {
    ready: null,
    before: (deadline: number) => c.setDeadline(deadline),
    operations: {
      ...inSnapshots(c, operations),
      close: () => c.close(),
    },
  };
}

export type ReaderOperations = ReturnType<typeof open>['operations'];

/** Each operation sees one moment of the database, however many statements it has. */
function inSnapshots<T extends Record<string, (...args: never[]) => unknown>>(
  connection: Connection,
  operations: T,
): T {
  const wrapped = Object.entries(operations).map(([name, operation]) => [
    name,
    (...args: never[]) => connection.transaction('BEGIN', () => operation(...args)),
  ]);
  return Object.fromEntries(wrapped) as T;
}

serve(() => open(workerData as ReaderData));

/** Pages and look-ups of tasks, runs, steps and hosts. */

import type { Page } from '../../../domain/cursor/page.ts';
import type { HostView, RunView, StepView, TaskView } from '../../../domain/fold/views.ts';
import type { HostFilter } from '../../../domain/search/filter.ts';
import type {
  BoardSnapshot,
  HostQuery,
  RunKey,
  RunQuery,
  ShardCursor,
  StepKey,
  StepQuery,
  TaskQuery,
} from '../../store.ts';
import type { Connection } from '../file/connection.ts';
import { type List, readList } from '../query/list.ts';
import { RUN_COLUMNS, RUN_FROM, runList } from '../query/runs.ts';
import { stepLists } from '../query/steps.ts';
import { taskList } from '../query/tasks.ts';
import { Where } from '../query/where.ts';
import { hostViewOf } from './host-row.ts';
import { JsonText } from './json-text.ts';
import { RunReader, type RunRow } from './run-row.ts';
import { type StateRow, storedTaskOf, taskViewOf, taskViewOrEmpty } from './task-row.ts';

export function readTasks(connection: Connection, query: TaskQuery): Page<TaskView> {
  const list = taskList(query.filter, query.order);
  return readList<[view: string, id: string], TaskView>(connection, [list], query.page, (rows) =>
    rows.map(([view, id]) => taskViewOf(connection, id, view)),
  );
}

export function readTasksById(connection: Connection, ids: readonly string[]): (TaskView | null)[] {
  return ids.map((id) => {
    const row = connection.get<{ view: string }>(
      'SELECT view FROM tasks WHERE id = ? AND seq > 0',
      id,
    );
    return row === undefined ? null : taskViewOrEmpty(connection, id, row.view);
  });
}

export function readTasksChangedSince(
  connection: Connection,
  after: number,
  limit: number,
  views: ShardCursor,
): { tasks: TaskView[]; more: boolean; at: ShardCursor[] } {
  const rows = connection.all<{ id: string; view: string; seq: number }>(
    'SELECT id, view, seq FROM tasks WHERE alive() AND seq > ? ORDER BY seq LIMIT ?',
    after,
    limit + 1,
  );
  const shown = rows.slice(0, limit);
  const more = rows.length > limit;
  const seq = more ? (shown.at(-1)?.seq ?? after) : Math.max(after, views.seq);
  return {
    tasks: shown.flatMap(({ id, view }) => taskViewOf(connection, id, view) ?? []),
    more,
    at: [{ ...views, seq }],
  };
}

export function readRuns(
  connection: Connection,
  query: RunQuery,
  staleBefore: number,
): Page<RunView> {
  const list = runList(query.filter, query.order, staleBefore);
  const reader = new RunReader(connection);
  return readList<RunRow, RunView>(connection, [list], query.page, (rows) =>
    rows.map((row) => reader.view(row)),
  );
}

const RUN_BY_KEY = `SELECT ${RUN_COLUMNS} FROM ${RUN_FROM.replace('CROSS JOIN', 'JOIN')} WHERE t.id = ? AND r.host = ? AND r.base >= 0`;

export function readRunsByKey(connection: Connection, keys: readonly RunKey[]): (RunView | null)[] {
  const reader = new RunReader(connection);
  return keys.map(({ taskId, host }) => {
    connection.checkDeadline();
    const [row] = connection.arrays<RunRow>(RUN_BY_KEY, [taskId, host]);
    return row === undefined ? null : reader.view(row);
  });
}

export function readSteps(connection: Connection, query: StepQuery): Page<StepView> {
  const parts = stepLists(query.filter, query.order);
  const reader = new RunReader(connection);
  return readList<RunRow, StepView>(connection, parts, query.page, (rows) =>
    // A run that is set aside has none of the steps that it was found by.
    rows.map((row) => reader.step(row, row[6] as string)),
  );
}

export function readStepsByKey(
  connection: Connection,
  keys: readonly StepKey[],
): (StepView | null)[] {
  const reader = new RunReader(connection);
  return keys.map(({ taskId, host, step }) => {
    connection.checkDeadline();
    const [row] = connection.arrays<RunRow>(RUN_BY_KEY, [taskId, host]);
    return row === undefined ? null : reader.step(row, step);
  });
}

function hostList(filter: HostFilter): List {
  const where = new Where().hosts('h.name', filter.names);
  if (filter.namePrefix !== undefined) where.hosts('h.name', [`${filter.namePrefix}*`]);
  where.from('h.last_seen', filter.seenSince).labels('h.labels', filter.labels);
  return {
    columns: 'h.state, h.name',
    from: 'hosts h',
    where,
    sort: [{ expr: 'h.name', desc: false }],
  };
}

export function readHosts(connection: Connection, query: HostQuery): Page<HostView> {
  return readList<[state: string, name: string], HostView>(
    connection,
    [hostList(query.filter)],
    query.page,
    (rows) => rows.map(([state, name]) => hostViewOf(connection, name, state)),
  );
}

export function readHostsByName(
  connection: Connection,
  names: readonly string[],
): (HostView | null)[] {
  return names.map((name) => {
    const row = connection.get<{ state: string }>('SELECT state FROM hosts WHERE name = ?', name);
    return row === undefined ? null : hostViewOf(connection, name, row.state);
  });
}

/** What a run's state has at least; SQLite looks at 10 MB of them in the time of one parse of ours. */
const SOUND_RUN = `CASE WHEN json_valid(state) THEN
  json_type(state, '$.steps') IS 'array' AND json_type(state, '$.sources') IS 'array' ELSE 0 END`;

/**
 * The states go out as they are stored: a board of 5,000 runs is 10 MB of JSON. null also where some
 * of it cannot be understood: then whoever follows the task folds it from the log.
 */
export function readBoard(
  connection: Connection,
  taskId: string,
  at: BoardSnapshot['at'],
): JsonText | null {
  const task = connection.get<StateRow & { key: number }>(
    `SELECT t.key, t.state, t.totals, h.hosts FROM tasks t LEFT JOIN task_hosts h ON h.task = t.key
     WHERE t.id = ? AND t.seq > 0`,
    taskId,
  );
  if (task === undefined) return null;
  const { aside } = connection;
  const stored = aside.try({ taskId }, () => storedTaskOf(task));
  const runs = connection.arrays<[state: string, host: string, sound: number]>(
    `SELECT state, host, ${SOUND_RUN} FROM runs
     WHERE alive() AND task = ? AND state IS NOT NULL ORDER BY host`,
    [task.key],
  );
  const damaged = runs.filter(([, , sound]) => sound === 0);
  for (const [, host] of damaged) aside.add({ taskId, host }, null);
  if (stored === null || damaged.length > 0) return null;
  const states = runs.map(([run]) => run).join(',');
  return new JsonText(
    `{"task":${JSON.stringify(stored.state)},"runs":[${states}],"at":${JSON.stringify(at)}}`,
  );
}

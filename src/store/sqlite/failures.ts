/** Failed and timed-out steps by cause. */
import { normaliseFailure } from '../../domain/failure.ts';
import type { StepFilter } from '../../domain/filter.ts';
import type { FailureGroup } from '../../domain/views.ts';
import type { Connection } from './connection.ts';
import { readStepsByKey } from './lists.ts';
import { STEP_FROM, stepWhere } from './query-steps.ts';

const MAX_NAMES = 20;

type Row = [fingerprint: string, taskId: string, host: string, step: string, at: number];

interface Group {
  fingerprint: string;
  count: number;
  hosts: Set<string>;
  tasks: Set<string>;
  steps: Set<string>;
  firstAt: number;
  lastAt: number;
  newest: Row;
}

/** The largest groups first; of equal ones the latest. */
export function readFailureGroups(
  connection: Connection,
  filter: StepFilter,
  first: number,
): FailureGroup[] {
  const where = stepWhere(filter);
  const rows = connection.arrays<Row>(
    `SELECT s.fingerprint, t.id, r.host, s.name, coalesce(s.finished_at, s.started_at) AS at
     FROM ${STEP_FROM} WHERE alive() AND s.fingerprint IS NOT NULL AND ${where.sql}
     ORDER BY at DESC, s.run DESC, s.name`,
    where.params,
  );
  const groups = new Map<string, Group>();
  for (const row of rows) add(groups, row);
  return [...groups.values()]
    .sort((a, b) => b.count - a.count || b.lastAt - a.lastAt)
    .slice(0, first)
    .flatMap((group) => groupView(connection, group));
}

function add(groups: Map<string, Group>, row: Row): void {
  const [fingerprint, taskId, host, step, at] = row;
  const group = groups.get(fingerprint);
  if (group === undefined) {
    groups.set(fingerprint, {
      fingerprint,
      count: 1,
      hosts: new Set([host]),
      tasks: new Set([taskId]),
      steps: new Set([step]),
      firstAt: at,
      lastAt: at,
      newest: row,
    });
    return;
  }
  group.count++;
  group.hosts.add(host);
  group.tasks.add(taskId);
  group.steps.add(step);
  // Rows come newest first.
  group.firstAt = at;
}

function groupView(connection: Connection, group: Group): FailureGroup[] {
  const [, taskId, host, step] = group.newest;
  const [sample] = readStepsByKey(connection, [{ taskId, host, step }]);
  if (sample === null || sample === undefined) return [];
  const text = sample.failure?.text ?? '';
  return [
    {
      fingerprint: group.fingerprint,
      message: normaliseFailure(text, host, sample.error?.code ?? null),
      count: group.count,
      hostCount: group.hosts.size,
      hosts: [...group.hosts].slice(0, MAX_NAMES),
      steps: [...group.steps].slice(0, MAX_NAMES),
      tasks: [...group.tasks].slice(0, MAX_NAMES),
      firstAt: group.firstAt,
      lastAt: group.lastAt,
      sample,
    },
  ];
}

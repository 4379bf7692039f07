/** Failed and timed-out steps by cause. */
import { normaliseFailure } from '../../../domain/failure/failure.ts';
import type { FailureGroup } from '../../../domain/fold/views.ts';
import type { StepFilter } from '../../../domain/search/filter.ts';
import { compareText } from '../../../domain/text/text-order.ts';
import type { Connection } from '../file/connection.ts';
import { STEP_FROM, stepWhere } from '../query/steps.ts';
import { readStepsByKey } from './lists.ts';

const MAX_NAMES = 20;

type Row = [fingerprint: string, taskId: string, host: string, step: string, at: number];

interface Group {
  fingerprint: string;
  count: number;
  /** Names and when they were last in the group. */
  hosts: Map<string, number>;
  tasks: Map<string, number>;
  steps: Map<string, number>;
  firstAt: number;
  lastAt: number;
  newest: Row;
}

/** The largest groups first; of equal ones the latest, and then by fingerprint. */
export function readFailureGroups(
  connection: Connection,
  filter: StepFilter,
  first: number,
): FailureGroup[] {
  const where = stepWhere(filter);
  const rows = connection.arrays<Row>(
    `SELECT s.fingerprint, t.id, r.host, s.name, coalesce(s.finished_at, s.started_at) AS at
     FROM ${STEP_FROM} WHERE alive() AND s.fingerprint IS NOT NULL AND ${where.sql}
     ORDER BY at DESC, t.id, r.host, s.name`,
    where.params,
  );
  const groups = new Map<string, Group>();
  for (const row of rows) add(groups, row);
  return [...groups.values()]
    .sort(
      (a, b) =>
        b.count - a.count || b.lastAt - a.lastAt || (a.fingerprint < b.fingerprint ? -1 : 1),
    )
    .slice(0, first)
    .flatMap((group) => groupView(connection, group));
}

function add(groups: Map<string, Group>, row: Row): void {
  const [fingerprint, taskId, host, step, at] = row;
  let group = groups.get(fingerprint);
  if (group === undefined) {
    group = {
      ...{ fingerprint, count: 0, firstAt: at, lastAt: at, newest: row },
      ...{ hosts: new Map(), tasks: new Map(), steps: new Map() },
    };
    groups.set(fingerprint, group);
  }
  group.count++;
  // Rows come newest first.
  group.firstAt = at;
  if (!group.hosts.has(host)) group.hosts.set(host, at);
  if (!group.tasks.has(taskId)) group.tasks.set(taskId, at);
  if (!group.steps.has(step)) group.steps.set(step, at);
}

/** The newest, and of those of one moment the first by name. */
function namesOf(names: ReadonlyMap<string, number>): string[] {
  return [...names]
    .sort(([a, at], [b, bt]) => bt - at || compareText(a, b))
    .slice(0, MAX_NAMES)
    .map(([name]) => name);
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
      hosts: namesOf(group.hosts),
      steps: namesOf(group.steps),
      tasks: namesOf(group.tasks),
      firstAt: group.firstAt,
      lastAt: group.lastAt,
      sample,
    },
  ];
}

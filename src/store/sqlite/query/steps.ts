/** Lists of steps, and the conditions that aggregations over steps share. */
import type { StepFilter } from '../../../domain/search/filter.ts';
import type { StepOrder } from '../../store.ts';
import { NEVER, stepStatuses } from '../file/codes.ts';
import type { List } from './list.ts';
import type { SortColumn } from './page.ts';
import { RUN_COLUMNS } from './runs.ts';
import { hostCondition, Where } from './where.ts';

const KEYS: readonly SortColumn[] = [
  { expr: 's.run', desc: false },
  { expr: 's.name', desc: false },
];
const SORTS: Record<StepOrder, readonly SortColumn[]> = {
  STARTED_DESC: [{ expr: 's.started_at', desc: true }, ...KEYS],
  // Steps that never began come last here too.
  STARTED_ASC: [
    { expr: `(s.started_at = ${NEVER})`, desc: false },
    { expr: 's.started_at', desc: false },
    ...KEYS,
  ],
  DURATION_DESC: [{ expr: 's.duration', desc: true }, ...KEYS],
};

export const STEP_FROM =
  'steps s CROSS JOIN runs r ON r.key = s.run CROSS JOIN tasks t ON t.key = s.task';

export function stepWhere(filter: StepFilter): Where {
  const where = new Where();
  if (filter.taskId !== undefined) {
    where.add('s.task = (SELECT key FROM tasks WHERE id = ?)', filter.taskId);
  }
  const hosts = filter.hosts ?? [];
  if (hosts.length > 0 && filter.taskId === undefined) {
    // The runs of those hosts lead: the key of a step begins with its task and run.
    const { sql, params } = hostCondition('hr.host', hosts);
    where.add(`(s.task, s.run) IN (SELECT hr.task, hr.key FROM runs hr WHERE ${sql})`, ...params);
  } else {
    where.hosts('r.host', filter.hosts);
  }
  where
    .in('s.name', filter.steps)
    .in(
      's.status',
      filter.statuses?.map((status) => stepStatuses.code(status)),
    )
    .from('s.started_at', filter.from)
    .to('s.started_at', filter.to)
    .from('s.duration', filter.minDurationMs)
    .in('t.service', filter.services)
    .in('t.environment', filter.environments)
    .in('t.version', filter.versions);
  if (filter.to !== undefined) where.add('s.started_at > ?', NEVER);
  if (filter.errorCode !== undefined) where.add('s.error_code = ?', filter.errorCode);
  return where;
}

/** Failed steps of everywhere are few: they have an index of their own. */
function onlyFailed({ statuses, taskId, hosts }: StepFilter): boolean {
  if (taskId !== undefined || (hosts ?? []).length > 0) return false;
  if (statuses === undefined || statuses.length === 0) return false;
  return statuses.every((status) => status === 'FAILED' || status === 'TIMED_OUT');
}

/** Statuses of steps that have not begun. */
const NOT_BEGUN: ReadonlySet<string> = new Set(['PENDING', 'NOT_RUN']);

/** What is asked for has begun: the filter says so. */
function onlyBegun({ statuses, from, to }: StepFilter): boolean {
  const listed = statuses ?? [];
  if (listed.length > 0 && !listed.some((status) => NOT_BEGUN.has(status))) return true;
  return from !== undefined || to !== undefined;
}

/**
 * The list in parts, one behind the other, so that those of everywhere come off an index: such as
 * have a time or duration, then such as have none, which a page seldom reaches. Columns: those of
 * a run, then the step's name.
 */
export function stepLists(filter: StepFilter, order: StepOrder): List[] {
  if (order === 'STARTED_DESC' && onlyFailed(filter)) {
    // In the words of the index, or SQLite would not use it.
    return [part(filter, order, 'steps_failed', 's.fingerprint IS NOT NULL')];
  }
  const everywhere = filter.taskId === undefined && (filter.hosts ?? []).length === 0;
  if (!everywhere || order === 'STARTED_ASC') return [part(filter, order, null, null)];
  const [column, index] =
    order === 'STARTED_DESC' ? ['s.started_at', 'steps_started'] : ['s.duration', 'steps_duration'];
  const indexed = part(filter, order, index, `${column} > ${NEVER}`);
  const isWhole = order === 'STARTED_DESC' ? onlyBegun(filter) : filter.minDurationMs !== undefined;
  return isWhole ? [indexed] : [indexed, part(filter, order, null, `${column} = ${NEVER}`)];
}

function part(
  filter: StepFilter,
  order: StepOrder,
  index: string | null,
  condition: string | null,
): List {
  const where = stepWhere(filter);
  if (condition !== null) where.add(condition);
  return {
    columns: `${RUN_COLUMNS}, s.name`,
    from: index === null ? STEP_FROM : STEP_FROM.replace('steps s', `steps s INDEXED BY ${index}`),
    where,
    sort: SORTS[order],
  };
}

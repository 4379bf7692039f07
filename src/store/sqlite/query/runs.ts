/** Lists of runs. */
import type { RunFilter } from '../../../domain/search/filter.ts';
import type { RunOrder } from '../../store.ts';
import { runStatuses, stepStatuses } from '../file/codes.ts';
import type { List } from './list.ts';
import type { SortColumn } from './page.ts';
import { Where } from './where.ts';

const KEY: SortColumn = { expr: 'r.key', desc: false };
const SORTS: Record<RunOrder, readonly SortColumn[]> = {
  HOST_ASC: [{ expr: 'r.host', desc: false }, KEY],
  STARTED_DESC: [{ expr: 'r.started_at', desc: true }, KEY],
  DURATION_DESC: [{ expr: 'r.duration', desc: true }, KEY],
  LAST_EVENT_DESC: [{ expr: 'r.last_event_at', desc: true }, KEY],
  // Codes of run statuses stand in this order.
  FAILED_FIRST: [{ expr: 'r.status', desc: false }, { expr: 'r.host', desc: false }, KEY],
};

/** What `runView` of `read/run-row.ts` makes a run of, in this order. */
export const RUN_COLUMNS = 'r.task, r.host, r.state, t.id, t.state, t.over';
export const RUN_FROM = 'runs r CROSS JOIN tasks t ON t.key = r.task';

/** `staleBefore`: a RUNNING run whose last event is older is stale. */
export function runList(filter: RunFilter, order: RunOrder, staleBefore: number): List {
  const where = new Where().add('r.base >= 0');
  if (filter.taskId !== undefined) {
    where.add('r.task = (SELECT key FROM tasks WHERE id = ?)', filter.taskId);
  }
  where
    .hosts('r.host', filter.hosts)
    .in(
      'r.status',
      filter.statuses?.map((status) => runStatuses.code(status)),
    )
    .from('r.started_at', filter.from)
    .to('r.started_at', filter.to)
    .in('t.service', filter.services)
    .in('t.environment', filter.environments)
    .in('t.version', filter.versions);
  // A run that never began has no time, and stands below every other one.
  if (filter.to !== undefined) where.add('r.started_at > ?', -Number.MAX_SAFE_INTEGER);
  if (filter.stale !== undefined) {
    const stale = '(r.status = ? AND r.last_event_at < ?)';
    where.add(filter.stale ? stale : `NOT ${stale}`, runStatuses.code('RUNNING'), staleBefore);
  }
  if (filter.outOfRotation !== undefined) {
    where.add(`r.out_since IS ${filter.outOfRotation ? 'NOT ' : ''}NULL`);
  }
  if (filter.failedStep !== undefined) {
    where.add(
      `EXISTS (SELECT 1 FROM steps s WHERE s.task = r.task AND s.run = r.key AND s.name = ?
         AND s.status IN (?, ?))`,
      filter.failedStep,
      stepStatuses.code('FAILED'),
      stepStatuses.code('TIMED_OUT'),
    );
  }
  return { columns: RUN_COLUMNS, from: RUN_FROM, where, sort: SORTS[order] };
}

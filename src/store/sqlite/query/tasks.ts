/** Lists of tasks. */
import type { TaskFilter } from '../../../domain/search/filter.ts';
import { taskSearchTerms } from '../../../domain/search/search.ts';
import type { TaskOrder } from '../../store.ts';
import { taskStatuses } from '../file/codes.ts';
import type { List } from './list.ts';
import { matchOf } from './match.ts';
import type { SortColumn } from './page.ts';
import { hostCondition, Where } from './where.ts';

const SORTS: Record<TaskOrder, readonly SortColumn[]> = {
  CREATED_DESC: [
    { expr: 't.created_at', desc: true },
    { expr: 't.key', desc: true },
  ],
  CREATED_ASC: [
    { expr: 't.created_at', desc: false },
    { expr: 't.key', desc: false },
  ],
  DURATION_DESC: [
    { expr: 't.duration', desc: true },
    { expr: 't.key', desc: true },
  ],
};

/** The first columns are the TaskView and the id. */
export function taskList(filter: TaskFilter, order: TaskOrder): List {
  const where = new Where()
    .add('t.seq > 0')
    .in('t.id', filter.ids)
    .in('t.service', filter.services)
    .in('t.environment', filter.environments)
    .in('t.version', filter.versions)
    .in(
      't.status',
      filter.statuses?.map((status) => taskStatuses.code(status)),
    )
    .in('t.created_by', filter.createdBy)
    .from('t.created_at', filter.from)
    .to('t.created_at', filter.to);
  if (filter.host !== undefined) {
    const { sql, params } = hostCondition('r.host', [filter.host]);
    where.add(`t.key IN (SELECT r.task FROM runs r WHERE ${sql})`, ...params);
  }
  if (filter.search !== undefined) {
    const { wanted, unwanted } = matchOf(taskSearchTerms(filter.search));
    const keys = 'SELECT rowid FROM task_words WHERE task_words MATCH ?';
    if (wanted !== null) where.add(`t.key IN (${keys})`, wanted);
    if (unwanted !== null) where.add(`t.key NOT IN (${keys})`, unwanted);
  }
  where.labels('t.labels', filter.labels);
  return { columns: 't.view, t.id', from: 'tasks t', where, sort: SORTS[order] };
}

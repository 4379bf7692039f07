/** Filters over views to queries, and what each list is sorted by. */
import type {
  HostFilter,
  RunFilter,
  StepFilter,
  TaskFilter,
} from '../../../domain/search/filter.ts';
import { taskSearchTerms } from '../../../domain/search/search.ts';
import type { RunOrder, RunQuery, StepOrder, StepQuery, TaskOrder } from '../../store.ts';
import { all, between, hasLabels, names, oneOf, phrase, type Query } from './dsl.ts';
import { type ListSearch, NEVER, type SortField } from './page.ts';

const asc = (field: string): SortField => ({ field, desc: false });
/** What has no value stands last. */
const descLast = (field: string): SortField => ({ field, desc: true, missing: -NEVER });
const ascLast = (field: string): SortField => ({ field, desc: false, missing: NEVER });

const RUN_KEY = [asc('host.name'), asc('shiplog.task.id')];
const STEP_KEY = [asc('shiplog.task.id'), asc('host.name'), asc('event.action')];

export const TASK_SORTS: Record<TaskOrder, readonly SortField[]> = {
  CREATED_DESC: [
    { field: 'event.created', desc: true },
    { field: 'shiplog.task.id', desc: true },
  ],
  CREATED_ASC: [asc('event.created'), asc('shiplog.task.id')],
  DURATION_DESC: [descLast('shiplog.duration_ms'), { field: 'shiplog.task.id', desc: true }],
};

export const RUN_SORTS: Record<RunOrder, readonly SortField[]> = {
  HOST_ASC: RUN_KEY,
  STARTED_DESC: [descLast('event.start'), ...RUN_KEY],
  DURATION_DESC: [descLast('shiplog.duration_ms'), ...RUN_KEY],
  LAST_EVENT_DESC: [descLast('event.ingested'), ...RUN_KEY],
  FAILED_FIRST: [asc('shiplog.rank'), ...RUN_KEY],
};

export const STEP_SORTS: Record<StepOrder, readonly SortField[]> = {
  STARTED_DESC: [descLast('event.start'), ...STEP_KEY],
  STARTED_ASC: [ascLast('event.start'), ...STEP_KEY],
  DURATION_DESC: [descLast('shiplog.duration_ms'), ...STEP_KEY],
};

export const HOST_SORT: readonly SortField[] = [asc('host.name')];

function ofView(view: 'task' | 'run' | 'step'): Query {
  return { term: { 'shiplog.view': view } };
}

function ofTask(id: string | undefined): Query[] {
  return oneOf('shiplog.task.id', id === undefined ? undefined : [id]);
}

interface ServiceFilter {
  services?: string[];
  environments?: string[];
  versions?: string[];
}

function ofService({ services, environments, versions }: ServiceFilter): Query[] {
  return [
    ...oneOf('service.name', services),
    ...oneOf('service.environment', environments),
    ...oneOf('service.version', versions),
  ];
}

/** `withHost`: the tasks that have a run on `filter.host`; null: the filter names no host. */
export function taskQuery(filter: TaskFilter, withHost: readonly string[] | null): Query {
  const filters = [
    ofView('task'),
    ...oneOf('shiplog.task.id', filter.ids),
    ...ofService(filter),
    ...oneOf('shiplog.status', filter.statuses),
    ...oneOf('shiplog.task.created_by', filter.createdBy),
    ...between('event.created', filter.from, filter.to),
    ...hasLabels(filter.labels),
  ];
  if (withHost !== null) filters.push({ terms: { 'shiplog.task.id': withHost } });
  const not: Query[] = [];
  for (const term of filter.search === undefined ? [] : taskSearchTerms(filter.search)) {
    (term.negated ? not : filters).push(phrase('shiplog.words', term.words, term.prefix));
  }
  return all(filters, not);
}

/** `staleBefore`: a RUNNING run whose last event is older is stale. */
export function runQuery(filter: RunFilter, staleBefore: number): Query {
  const filters = [
    ofView('run'),
    ...ofTask(filter.taskId),
    ...ofService(filter),
    ...names('host.name', filter.hosts),
    ...oneOf('shiplog.status', filter.statuses),
    ...between('event.start', filter.from, filter.to),
    ...oneOf(
      'shiplog.step.failed',
      filter.failedStep === undefined ? undefined : [filter.failedStep],
    ),
  ];
  const not: Query[] = [];
  if (filter.stale !== undefined) (filter.stale ? filters : not).push(staleRun(staleBefore));
  if (filter.outOfRotation !== undefined) {
    (filter.outOfRotation ? filters : not).push({ exists: { field: 'shiplog.out_of_rotation' } });
  }
  return all(filters, not);
}

export function runList({ filter, order }: RunQuery, staleBefore: number): ListSearch {
  return { query: runQuery(filter, staleBefore), sort: RUN_SORTS[order] };
}

export function staleRun(staleBefore: number): Query {
  return all([
    { term: { 'shiplog.status': 'RUNNING' } },
    { range: { 'event.ingested': { lt: staleBefore } } },
  ]);
}

export function stepQuery(filter: StepFilter): Query {
  return all([
    ofView('step'),
    ...ofTask(filter.taskId),
    ...ofService(filter),
    ...names('host.name', filter.hosts),
    ...oneOf('event.action', filter.steps),
    ...oneOf('shiplog.status', filter.statuses),
    ...between('event.start', filter.from, filter.to),
    ...between('shiplog.duration_ms', filter.minDurationMs, undefined),
    ...oneOf('error.code', filter.errorCode === undefined ? undefined : [filter.errorCode]),
  ]);
}

export function stepList({ filter, order }: StepQuery): ListSearch {
  return { query: stepQuery(filter), sort: STEP_SORTS[order] };
}

export function hostQuery(filter: HostFilter): Query {
  const prefix = filter.namePrefix === undefined ? undefined : [`${filter.namePrefix}*`];
  return all([
    ...names('host.name', filter.names),
    ...names('host.name', prefix),
    ...between('event.ingested', filter.seenSince, undefined),
    ...hasLabels(filter.labels),
  ]);
}

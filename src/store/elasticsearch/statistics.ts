/** Aggregations over views: how tasks stand, how long steps take, what fails, who fails often. */
import type { StepFilter } from '../../domain/filter.ts';
import { MATRIX_STEPS_MAX, stepOrder } from '../../domain/matrix.ts';
import type {
  FailureGroup,
  HostReliability,
  RunCounts,
  StepStats,
  StepSummary,
  TaskStats,
  TaskView,
} from '../../domain/views.ts';
import type { StepGroupBy } from '../store.ts';
import { type FailureQuery, readFailureGroups } from './failure-groups.ts';
import { type Names, shardPreference } from './names.ts';
import { all, between, type Query } from './query.ts';
import type { Searcher } from './searcher.ts';
import { runQuery, staleRun, stepQuery } from './view-query.ts';
import type { ViewReader } from './view-reader.ts';

interface Buckets<B> {
  buckets: (B & { key: string; doc_count: number })[];
}
interface Percentiles {
  values: Record<string, number | null>;
}

const STATUSES_MAX = 20;
const STEPS_MAX = 1_000;
const GROUPS_MAX = 1_000;
/** Groups that are looked at to find the largest. */
const GROUPS_SEEN_MAX = 50_000;
const GROUPS_PAGE = 2_000;

const STATUS_FIELDS = {
  PENDING: 'pending',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  NOT_RUN: 'notRun',
  SKIPPED: 'skipped',
  TIMED_OUT: 'timedOut',
} as const;

function percentiles(percents: readonly number[]): object {
  return {
    percentiles: {
      field: 'shiplog.duration_ms',
      percents,
      // Of few values the true ones, of many within a small part of a percent.
      tdigest: { compression: 200, execution_hint: 'default' },
    },
  };
}

function percentile({ values }: Percentiles, which: string): number | null {
  const value = values[which];
  return value === undefined || value === null || Number.isNaN(value) ? null : value;
}

export interface StatisticsParts {
  searcher: Searcher;
  names: Names;
  views: ViewReader;
}

/** A task, and where it is. */
export interface TaskPlace {
  view: TaskView;
  day: string;
  shard: string;
}

interface TaskAnswer {
  runs: { statuses: Buckets<object>; stale: { doc_count: number } };
  steps: { planned: StepBuckets; others: StepBuckets };
}
type StepBuckets = Buckets<{
  statuses: Buckets<object>;
  times: Percentiles;
  longest: { value: number | null };
}>;

export class Statistics {
  readonly #parts: StatisticsParts;

  constructor(parts: StatisticsParts) {
    this.#parts = parts;
  }

  /** `tasks` in the order of the question; null where there is no such task. */
  async tasks(tasks: readonly (TaskPlace | null)[]): Promise<TaskStats[]> {
    const asked = tasks.filter((task) => task !== null);
    const answers = await this.#parts.searcher.search<unknown, TaskAnswer>(
      asked.map(({ view, day, shard }) => ({
        index: this.#parts.names.views(day),
        preference: shardPreference(shard),
        body: {
          size: 0,
          track_total_hits: false,
          query: all([{ term: { 'shiplog.task.id': view.id } }]),
          aggs: taskAggregations(view.plan, this.#parts.views.staleBefore),
        },
      })),
    );
    let next = 0;
    return tasks.map((task) =>
      task === null
        ? { runCounts: noRuns(), stepSummaries: [] }
        : taskStats(task.view, (answers[next++] as { aggregations: TaskAnswer }).aggregations),
    );
  }

  /** The largest groups first. */
  async steps(filter: StepFilter, groupBy: StepGroupBy): Promise<StepStats[]> {
    const began = { exists: { field: 'event.start' } };
    const query = all([stepQuery(filter), began]);
    const groups: GroupBucket[] = [];
    for (let after: object | undefined; ; ) {
      const { aggregations } = await this.#parts.searcher.one<unknown, GroupsAnswer>({
        index: this.#parts.names.allViews,
        body: {
          size: 0,
          track_total_hits: false,
          query,
          aggs: { groups: groupsAggregation(groupBy, after) },
        },
      });
      const { buckets = [], after_key } = aggregations?.groups ?? {};
      for (const bucket of buckets) groups.push(bucket);
      if (after_key === undefined || groups.length >= GROUPS_SEEN_MAX) break;
      after = after_key;
    }
    return groups
      .map((bucket) => groupStats(groupBy, bucket))
      .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
      .slice(0, GROUPS_MAX);
  }

  failures(queries: readonly FailureQuery[]): Promise<FailureGroup[][]> {
    return readFailureGroups(this.#parts, queries);
  }

  /** Of the runs that began in [from, to). */
  async reliability(
    hosts: readonly string[],
    from: number | null,
    to: number | null,
  ): Promise<HostReliability[]> {
    const began: Query[] = [
      { exists: { field: 'event.start' } },
      ...between('event.start', from ?? undefined, to ?? undefined),
    ];
    const answers = await this.#parts.searcher.search<unknown, ReliabilityAnswer>(
      hosts.map((host) => ({
        index: this.#parts.names.allViews,
        body: {
          size: 0,
          track_total_hits: true,
          query: all([runQuery({}, 0), { term: { 'host.name': host } }, ...began]),
          aggs: {
            failed: { filter: { term: { 'shiplog.status': 'FAILED' } } },
            steps: { terms: { field: 'shiplog.step.failed', size: STEPS_MAX } },
          },
        },
      })),
    );
    return answers.map(({ total, aggregations }) => {
      const worst = [...(aggregations?.steps.buckets ?? [])].sort(
        (a, b) => b.doc_count - a.doc_count || (a.key < b.key ? -1 : 1),
      )[0];
      const failures = aggregations?.failed.doc_count ?? 0;
      return {
        runs: total,
        failed: failures,
        failureRate: total === 0 ? null : failures / total,
        worstStep: worst?.key ?? null,
      };
    });
  }
}

interface ReliabilityAnswer {
  failed: { doc_count: number };
  steps: Buckets<object>;
}

function noRuns(): RunCounts {
  return {
    ...{ total: 0, pending: 0, running: 0, succeeded: 0 },
    ...{ failed: 0, cancelled: 0, notRun: 0, stale: 0 },
  };
}

function noSteps(step: string): StepSummary {
  return {
    ...{ step, pending: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, timedOut: 0 },
    ...{ cancelled: 0, notRun: 0, p50Ms: null, p95Ms: null, maxMs: null },
  };
}

/** Steps outside the plan by name: as many as there is room for, and the same ones every time. */
export function taskAggregations(plan: readonly string[], staleBefore: number): object {
  const statuses = { terms: { field: 'shiplog.status', size: STATUSES_MAX } };
  const aggs = {
    statuses,
    times: percentiles([50, 95]),
    longest: { max: { field: 'shiplog.duration_ms' } },
  };
  const names = { field: 'event.action', size: MATRIX_STEPS_MAX, order: { _key: 'asc' } };
  return {
    runs: {
      filter: { term: { 'shiplog.view': 'run' } },
      aggs: { statuses, stale: { filter: staleRun(staleBefore) } },
    },
    steps: {
      filter: { term: { 'shiplog.view': 'step' } },
      aggs: {
        planned: { terms: { ...names, include: plan }, aggs },
        others: { terms: { ...names, exclude: plan }, aggs },
      },
    },
  };
}

function taskStats(task: TaskView, { runs, steps }: TaskAnswer): TaskStats {
  const runCounts = { ...noRuns(), stale: runs.stale.doc_count };
  for (const { key, doc_count } of runs.statuses.buckets) {
    runCounts[STATUS_FIELDS[key as 'PENDING']] += doc_count;
    runCounts.total += doc_count;
  }
  const found = new Map<string, StepSummary>();
  for (const { key, statuses, times, longest } of [
    ...steps.planned.buckets,
    ...steps.others.buckets,
  ]) {
    const summary = noSteps(key);
    for (const { key: status, doc_count } of statuses.buckets) {
      summary[STATUS_FIELDS[status as 'PENDING']] += doc_count;
    }
    summary.p50Ms = percentile(times, '50.0');
    summary.p95Ms = percentile(times, '95.0');
    summary.maxMs = longest.value;
    found.set(key, summary);
  }
  const stepSummaries = stepOrder(task.plan, found.keys()).map(
    (name) => found.get(name) ?? noSteps(name),
  );
  return { runCounts, stepSummaries };
}

interface GroupBucket {
  key: { step?: string; host?: string; service?: string | null; day?: number };
  doc_count: number;
  succeeded: { doc_count: number };
  failed: { doc_count: number };
  times: Percentiles;
  longest: { value: number | null };
  mean: { value: number | null };
}
interface GroupsAnswer {
  groups: { buckets: GroupBucket[]; after_key?: object };
}

const SOURCES: Record<StepGroupBy, object[]> = {
  STEP: [{ step: { terms: { field: 'event.action' } } }],
  HOST: [{ host: { terms: { field: 'host.name' } } }],
  STEP_AND_SERVICE: [
    { step: { terms: { field: 'event.action' } } },
    { service: { terms: { field: 'service.name', missing_bucket: true } } },
  ],
  STEP_AND_DAY: [
    { step: { terms: { field: 'event.action' } } },
    { day: { date_histogram: { field: 'event.start', fixed_interval: '1d' } } },
  ],
};

function groupsAggregation(groupBy: StepGroupBy, after: object | undefined): object {
  return {
    composite: {
      sources: SOURCES[groupBy],
      size: GROUPS_PAGE,
      ...(after === undefined ? {} : { after }),
    },
    aggs: {
      succeeded: { filter: { term: { 'shiplog.status': 'SUCCEEDED' } } },
      failed: { filter: { terms: { 'shiplog.status': ['FAILED', 'TIMED_OUT'] } } },
      times: percentiles([50, 90, 95, 99]),
      longest: { max: { field: 'shiplog.duration_ms' } },
      mean: { avg: { field: 'shiplog.duration_ms' } },
    },
  };
}

function groupStats(groupBy: StepGroupBy, bucket: GroupBucket): StepStats {
  const { step = '', host = '', service = null, day = 0 } = bucket.key;
  const keys: Record<StepGroupBy, string> = {
    STEP: step,
    HOST: host,
    STEP_AND_SERVICE: `${step} ${service ?? ''}`,
    STEP_AND_DAY: `${step} ${isoDay(day)}`,
  };
  return {
    key: keys[groupBy],
    step: groupBy === 'HOST' ? null : step,
    host: groupBy === 'HOST' ? host : null,
    service: groupBy === 'STEP_AND_SERVICE' ? service : null,
    day: groupBy === 'STEP_AND_DAY' ? day : null,
    count: bucket.doc_count,
    succeeded: bucket.succeeded.doc_count,
    failed: bucket.failed.doc_count,
    p50Ms: percentile(bucket.times, '50.0'),
    p90Ms: percentile(bucket.times, '90.0'),
    p95Ms: percentile(bucket.times, '95.0'),
    p99Ms: percentile(bucket.times, '99.0'),
    maxMs: bucket.longest.value,
    avgMs: bucket.mean.value,
  };
}

/** A day beyond what a Date can hold is told by its number. */
function isoDay(day: number): string {
  return Math.abs(day) <= 8.64e15
    ? (new Date(day).toISOString().split('T')[0] as string)
    : String(day);
}

/** Aggregations over views: how tasks stand, how long steps take, what fails, who fails often. */

import { MATRIX_STEPS_MAX, stepOrder } from '../../../domain/fold/board-bounds.ts';
import { type StepGroup, stepGroupKey } from '../../../domain/fold/step-groups.ts';
import { noRuns, noSteps, RUN_COUNTS, STEP_COUNTS } from '../../../domain/fold/task-stats.ts';
import type {
  FailureGroup,
  HostReliability,
  StepStats,
  StepSummary,
  TaskStats,
  TaskView,
} from '../../../domain/fold/views.ts';
import { meanMs, wholeMs } from '../../../domain/percentile.ts';
import type { StepFilter } from '../../../domain/search/filter.ts';
import { compareText } from '../../../domain/text/text-order.ts';
import type { StepGroupBy } from '../../store.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { DAY_MS, type Names, shardPreference } from '../indices/names.ts';
import { all, between, type Query } from '../query/dsl.ts';
import { runQuery, staleRun, stepQuery } from '../query/view-query.ts';
import { type FailureQuery, readFailureGroups } from './failure-groups.ts';
import {
  type About,
  aboutRanks,
  type RankQuestion,
  type Ranks,
  readRanks,
} from './nearest-ranks.ts';
import type { ViewReader } from './view-reader.ts';

interface Buckets<B> {
  buckets: (B & { key: string; doc_count: number })[];
}

const STATUSES_MAX = 20;
const STEPS_MAX = 1_000;
const GROUPS_MAX = 1_000;
/** Groups that are looked at to find the largest. */
const GROUPS_SEEN_MAX = 50_000;
const GROUPS_PAGE = 2_000;
const TASK_PERCENTS = [50, 95];
const GROUP_PERCENTS = [50, 90, 95, 99];

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
interface TaskAnswers {
  aggregations: TaskAnswer;
}
type StepBuckets = Buckets<{
  statuses: Buckets<object>;
  times: About;
  durations: { value: number };
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
    const ranks = await readRanks(
      this.#parts.searcher,
      asked.map(({ view, day, shard }, i) =>
        taskRanks(
          { index: this.#parts.names.views(day), preference: shardPreference(shard) },
          view.id,
          (answers[i] as TaskAnswers).aggregations,
        ),
      ),
      TASK_PERCENTS,
    );
    let next = 0;
    return tasks.map((task) => {
      if (task === null) return { runCounts: noRuns(), stepSummaries: [] };
      const { aggregations } = answers[next] as TaskAnswers;
      return taskStats(task.view, aggregations, ranks[next++] as Ranks);
    });
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
    const largest = groups
      .map((bucket) => ({ bucket, key: stepGroupKey(bucket.key) }))
      .sort((a, b) => b.bucket.doc_count - a.bucket.doc_count || (a.key < b.key ? -1 : 1))
      .slice(0, GROUPS_MAX);
    const question: RankQuestion = {
      search: { index: this.#parts.names.allViews },
      query,
      sources: SOURCES[groupBy],
      keyOf: stepGroupKey,
      groups: largest.map(({ bucket, key }) => ({
        key,
        is: selects(bucket.key),
        durations: bucket.durations.value,
        about: bucket.times,
      })),
    };
    const [ranks] = await readRanks(this.#parts.searcher, [question], GROUP_PERCENTS);
    return largest.map(({ bucket, key }) => groupStats(groupBy, bucket, key, ranks as Ranks));
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
        (a, b) => b.doc_count - a.doc_count || compareText(a.key, b.key),
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

/** Steps outside the plan by name: as many as there is room for, and the same ones every time. */
function taskAggregations(plan: readonly string[], staleBefore: number): object {
  const statuses = { terms: { field: 'shiplog.status', size: STATUSES_MAX } };
  const aggs = {
    statuses,
    times: aboutRanks(TASK_PERCENTS),
    durations: { value_count: { field: 'shiplog.duration_ms' } },
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

/** The percentiles of each step of a task. */
function taskRanks(
  search: RankQuestion['search'],
  id: string,
  { steps }: TaskAnswer,
): RankQuestion {
  return {
    search,
    query: all([{ term: { 'shiplog.task.id': id } }, { term: { 'shiplog.view': 'step' } }]),
    sources: SOURCES.STEP,
    keyOf: ({ step }) => String(step),
    groups: [...steps.planned.buckets, ...steps.others.buckets].map(
      ({ key, durations, times }) => ({
        key,
        is: [{ term: { 'event.action': key } }],
        durations: durations.value,
        about: times,
      }),
    ),
  };
}

function taskStats(task: TaskView, { runs, steps }: TaskAnswer, ranks: Ranks): TaskStats {
  const runCounts = { ...noRuns(), stale: runs.stale.doc_count };
  for (const { key, doc_count } of runs.statuses.buckets) {
    runCounts[RUN_COUNTS[key as 'PENDING']] += doc_count;
    runCounts.total += doc_count;
  }
  const found = new Map<string, StepSummary>();
  for (const { key, statuses, longest } of [...steps.planned.buckets, ...steps.others.buckets]) {
    const summary = noSteps(key);
    for (const { key: status, doc_count } of statuses.buckets) {
      summary[STEP_COUNTS[status as 'PENDING']] += doc_count;
    }
    summary.p50Ms = ranks.get(key)?.get(50) ?? null;
    summary.p95Ms = ranks.get(key)?.get(95) ?? null;
    summary.maxMs = wholeMs(longest.value);
    found.set(key, summary);
  }
  const stepSummaries = stepOrder(task.plan, found.keys()).map(
    (name) => found.get(name) ?? noSteps(name),
  );
  return { runCounts, stepSummaries };
}

interface GroupBucket {
  key: StepGroup;
  doc_count: number;
  succeeded: { doc_count: number };
  failed: { doc_count: number };
  times: About;
  durations: { value: number };
  longest: { value: number | null };
  sum: { value: number };
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
      times: aboutRanks(GROUP_PERCENTS),
      durations: { value_count: { field: 'shiplog.duration_ms' } },
      longest: { max: { field: 'shiplog.duration_ms' } },
      sum: { sum: { field: 'shiplog.duration_ms' } },
    },
  };
}

/** What selects the steps of a group. */
function selects({ step, host, service, day }: StepGroup): Query[] {
  const is: Query[] = [];
  if (step !== undefined) is.push({ term: { 'event.action': step } });
  if (host !== undefined) is.push({ term: { 'host.name': host } });
  if (service === null) is.push(all([], [{ exists: { field: 'service.name' } }]));
  else if (service !== undefined) is.push({ term: { 'service.name': service } });
  if (day !== undefined) is.push(...between('event.start', day, day + DAY_MS));
  return is;
}

function groupStats(
  groupBy: StepGroupBy,
  bucket: GroupBucket,
  key: string,
  ranks: Ranks,
): StepStats {
  const { step = '', host = '', service = null, day = 0 } = bucket.key;
  const at = (percent: number) => ranks.get(key)?.get(percent) ?? null;
  return {
    key,
    step: groupBy === 'HOST' ? null : step,
    host: groupBy === 'HOST' ? host : null,
    service: groupBy === 'STEP_AND_SERVICE' ? service : null,
    day: groupBy === 'STEP_AND_DAY' ? day : null,
    count: bucket.doc_count,
    succeeded: bucket.succeeded.doc_count,
    failed: bucket.failed.doc_count,
    p50Ms: at(50),
    p90Ms: at(90),
    p95Ms: at(95),
    p99Ms: at(99),
    maxMs: wholeMs(bucket.longest.value),
    avgMs: meanMs(bucket.sum.value, bucket.durations.value),
  };
}

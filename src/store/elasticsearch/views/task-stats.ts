/** How tasks stand: the counts of their runs, and of each step how often and how long it ran. */
import { z } from 'zod';
import { MATRIX_STEPS_MAX, stepOrder } from '../../../domain/fold/board-bounds.ts';
import { noRuns, noSteps, RUN_COUNTS, STEP_COUNTS } from '../../../domain/fold/task-stats.ts';
import type { StepSummary, TaskStats, TaskView } from '../../../domain/fold/views.ts';
import { wholeMs } from '../../../domain/percentile.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { type Names, shardPreference } from '../indices/names.ts';
import { all } from '../query/dsl.ts';
import { staleRun } from '../query/view-query.ts';
import { ABOUT, aboutRanks, type RankQuestion, type Ranks, readRanks } from './nearest-ranks.ts';
import { STEP_SOURCE } from './step-stats.ts';

const STATUSES_MAX = 20;
const PERCENTS = [50, 95];

export interface TaskStatsParts {
  searcher: Searcher;
  names: Names;
  views: { readonly staleBefore: number };
}

/** A task, and where it is. */
export interface TaskPlace {
  view: TaskView;
  day: string;
  shard: string;
}

const STATUSES = z.object({
  buckets: z.array(z.object({ key: z.string(), doc_count: z.number() })),
});
const STEPS = z.object({
  buckets: z.array(
    z.object({
      key: z.string(),
      statuses: STATUSES,
      times: ABOUT,
      durations: z.object({ value: z.number() }),
      longest: z.object({ value: z.number().nullable() }),
    }),
  ),
});
const TASK = z.object({
  runs: z.object({ statuses: STATUSES, stale: z.object({ doc_count: z.number() }) }),
  steps: z.object({ planned: STEPS, others: STEPS }),
});
type TaskAnswer = z.infer<typeof TASK>;

/** `tasks` in the order of the question; null where there is no such task. */
export async function readTaskStats(
  { searcher, names, views }: TaskStatsParts,
  tasks: readonly (TaskPlace | null)[],
): Promise<TaskStats[]> {
  const asked = tasks.filter((task) => task !== null);
  const places = asked.map(({ day, shard }) => ({
    index: names.views(day),
    preference: shardPreference(shard),
  }));
  const answers = await searcher.aggregate(
    asked.map(({ view }, i) => ({
      ...(places[i] as RankQuestion['search']),
      body: {
        size: 0,
        track_total_hits: false,
        query: all([{ term: { 'shiplog.task.id': view.id } }]),
        aggs: taskAggregations(view.plan, views.staleBefore),
      },
    })),
    TASK,
  );
  const found = asked.flatMap(({ view }, i) => {
    const answer = answers[i]?.aggregations;
    return answer == null ? [] : [{ view, answer, place: places[i] as RankQuestion['search'] }];
  });
  const questions = found.map(({ view, answer, place }) => taskRanks(place, view.id, answer));
  const ranks = await readRanks(searcher, questions, PERCENTS);
  const stats = new Map(
    found.map(({ view, answer }, i) => [view, taskStats(view, answer, ranks[i] as Ranks)]),
  );
  return tasks.map((task) => {
    const known = task === null ? undefined : stats.get(task.view);
    // Its indices went while they were asked: retention.
    return known ?? { runCounts: noRuns(), stepSummaries: [] };
  });
}

/** Steps outside the plan by name: as many as there is room for, and the same ones every time. */
function taskAggregations(plan: readonly string[], staleBefore: number): object {
  const statuses = { terms: { field: 'shiplog.status', size: STATUSES_MAX } };
  const aggs = {
    statuses,
    times: aboutRanks(PERCENTS),
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
    sources: STEP_SOURCE,
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

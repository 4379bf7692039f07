/** How long steps take and how often they fail, in groups: by step, host, service or day. */
import { z } from 'zod';
import { type StepGroup, stepGroupKey } from '../../../domain/fold/step-groups.ts';
import type { StepStats } from '../../../domain/fold/views.ts';
import { meanMs, wholeMs } from '../../../domain/percentile.ts';
import type { StepFilter } from '../../../domain/search/filter.ts';
import type { StepGroupBy } from '../../store.ts';
import { queryTimeout } from '../cluster/connection.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { DAY_MS, type Names } from '../indices/names.ts';
import { all, between, type Query } from '../query/dsl.ts';
import { stepQuery } from '../query/view-query.ts';
import { ABOUT, aboutRanks, type RankQuestion, type Ranks, readRanks } from './nearest-ranks.ts';

const GROUPS_MAX = 1_000;
const GROUPS_PAGE = 2_000;
const PERCENTS = [50, 90, 95, 99];

const COUNT = z.object({ doc_count: z.number() });
const GROUP = COUNT.extend({
  key: z.object({
    step: z.string().exactOptional(),
    host: z.string().exactOptional(),
    service: z.string().nullable().exactOptional(),
    day: z.number().exactOptional(),
  }),
  succeeded: COUNT,
  failed: COUNT,
  times: ABOUT,
  durations: z.object({ value: z.number() }),
  longest: z.object({ value: z.number().nullable() }),
  sum: z.object({ value: z.number() }),
});
type Group = z.infer<typeof GROUP>;
const GROUPS = z.object({
  groups: z.object({ buckets: z.array(GROUP), after_key: z.looseObject({}).optional() }),
});

/** The largest groups first. */
export async function readStepStats(
  { searcher, names }: { searcher: Searcher; names: Names },
  filter: StepFilter,
  groupBy: StepGroupBy,
): Promise<StepStats[]> {
  const began = { exists: { field: 'event.start' } };
  const query = all([stepQuery(filter), began]);
  const deadline = performance.now() + searcher.timeoutMs;
  let largest: { bucket: Group; key: string }[] = [];
  for (let after: object | undefined; ; ) {
    const aggs = { groups: groupsAggregation(groupBy, after) };
    const [answer] = await searcher.aggregate(
      [{ index: names.allViews, body: { size: 0, track_total_hits: false, query, aggs } }],
      GROUPS,
    );
    const { buckets = [], after_key } = answer?.aggregations?.groups ?? {};
    const found = buckets.map((bucket) => ({ bucket, key: stepGroupKey(bucket.key) }));
    // However many there are, no more are held than are told.
    largest = [...largest, ...found]
      .sort((a, b) => b.bucket.doc_count - a.bucket.doc_count || (a.key < b.key ? -1 : 1))
      .slice(0, GROUPS_MAX);
    if (after_key === undefined || buckets.length < GROUPS_PAGE) break;
    if (performance.now() > deadline) throw queryTimeout();
    after = after_key;
  }
  const question: RankQuestion = {
    search: { index: names.allViews },
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
  const [ranks] = await readRanks(searcher, [question], PERCENTS);
  return largest.map(({ bucket, key }) => groupStats(groupBy, bucket, key, ranks as Ranks));
}

/** Sources of a composite aggregation: what tells the groups apart. */
export const STEP_SOURCE = [{ step: { terms: { field: 'event.action' } } }];
const SOURCES: Record<StepGroupBy, object[]> = {
  STEP: STEP_SOURCE,
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
      times: aboutRanks(PERCENTS),
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

function groupStats(groupBy: StepGroupBy, bucket: Group, key: string, ranks: Ranks): StepStats {
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

/**
 * Percentiles by nearest rank (`domain/percentile.ts`), exact over any number of durations.
 *
 * Elasticsearch's own are interpolated from a digest. They are near, so they tell between which
 * two durations the right one is: what is below is counted, and what is between is counted by the
 * millisecond. Where the digest was wrong, all of the side that it left out is looked at.
 */

import { z } from 'zod';
import { isCount, isObject } from '../cluster/answer.ts';
import { queryTimeout } from '../cluster/connection.ts';
import type { Aggregated, Search, Searcher } from '../cluster/searcher.ts';
import { all, any, type Query } from '../query/dsl.ts';

/** The answer of `aboutRanks`. */
export const ABOUT = z.object({
  values: z.array(z.object({ key: z.number(), value: z.number().nullable() })),
});
export type About = z.infer<typeof ABOUT>;

export interface RankedGroup {
  /** What `keyOf` says of its buckets. */
  key: string;
  /** What selects its steps. */
  is: readonly Query[];
  /** How many durations it has. */
  durations: number;
  about: About;
}

export interface RankQuestion {
  search: Omit<Search, 'body'>;
  query: Query;
  /** Sources of a composite aggregation: what tells its groups apart. */
  sources: readonly object[];
  keyOf: (key: Record<string, unknown>) => string;
  groups: readonly RankedGroup[];
}

/** In whole milliseconds, by group and percent; a group without durations has none. */
export type Ranks = ReadonlyMap<string, ReadonlyMap<number, number>>;

const DURATION = 'shiplog.duration_ms';
/**
 * How far to both sides of a percentile is looked, in percent; with fewer durations than `from`,
 * farther.
 */
const NEAR = { percent: 0.5, from: 600 };
const FAR = { percent: 3, from: 50 };
const BUCKETS_PAGE = 20_000;
/** First what is near a percentile, then all of the side on which it must be, then everything. */
const ROUNDS = 3;

/** The aggregation that says about where the percentiles are. */
export function aboutRanks(percents: readonly number[]): object {
  const around = percents.flatMap((percent) =>
    [-FAR.percent, -NEAR.percent, NEAR.percent, FAR.percent].map((by) => least100(percent + by)),
  );
  return {
    percentiles: {
      field: DURATION,
      percents: [...new Set(around)].sort((a, b) => a - b),
      keyed: false,
      tdigest: { compression: 200 },
    },
  };
}

function least100(percent: number): number {
  return Math.min(100, percent);
}

/** The milliseconds in which a percentile is looked for; null: no bound. */
interface Sought {
  group: RankedGroup;
  percent: number;
  rank: number;
  from: number | null;
  through: number | null;
}

interface State {
  question: RankQuestion;
  open: Sought[];
  found: Map<string, Map<number, number>>;
}

type Key = Record<string, unknown>;
/** By hand: a page has 20,000 of them, which a schema would look at for ten milliseconds. */
const BUCKETS = z.custom<{ key: Key; doc_count: number }[]>(
  (told) =>
    Array.isArray(told) && told.every((one) => isObject(one?.key) && isCount(one.doc_count)),
);
const COUNTS = z.object({
  counts: z.object({ buckets: BUCKETS, after_key: z.looseObject({}).optional() }),
});
type Counts = z.infer<typeof COUNTS>;

export async function readRanks(
  searcher: Searcher,
  questions: readonly RankQuestion[],
  percents: readonly number[],
): Promise<Ranks[]> {
  const deadline = performance.now() + searcher.timeoutMs;
  const states = questions.map(
    (question): State => ({
      question,
      open: question.groups.flatMap((group) => percents.flatMap((p) => firstLook(group, p))),
      found: new Map(question.groups.map(({ key }) => [key, new Map()])),
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    const asked = states.filter(({ open }) => open.length > 0);
    if (asked.length === 0) break;
    await look(searcher, asked, deadline);
  }
  return states.map(({ found }) => found);
}

function firstLook(group: RankedGroup, percent: number): Sought[] {
  const { durations, about } = group;
  if (durations === 0) return [];
  const rank = Math.max(1, Math.ceil((percent / 100) * durations));
  const everything = { group, percent, rank, from: null, through: null };
  if (durations < FAR.from) return [everything];
  const by = durations < NEAR.from ? FAR.percent : NEAR.percent;
  const at = (where: number) =>
    about.values.find(({ key }) => Math.abs(key - least100(where)) < 0.01)?.value ?? null;
  const [from, through] = [at(percent - by), at(percent + by)];
  if (from === null || through === null) return [everything];
  return [{ ...everything, from: Math.floor(from), through: Math.floor(through) }];
}

async function look(searcher: Searcher, states: readonly State[], deadline: number): Promise<void> {
  const searches = states.map(({ question, open }) => [
    insideSearch(question, open, undefined),
    ...percentsOf(open).map((percent) => belowSearch(question, open, percent)),
  ]);
  const answers = await searcher.aggregate(searches.flat(), COUNTS);
  let next = 0;
  for (const [i, state] of states.entries()) {
    const mine = answers.slice(next, next + (searches[i]?.length ?? 0));
    next += mine.length;
    const [inside, ...below] = mine;
    const values = await allValues(searcher, state, inside, deadline);
    const counted = new Map<string, number>();
    for (const [n, percent] of percentsOf(state.open).entries()) {
      for (const { key, doc_count } of below[n]?.aggregations?.counts.buckets ?? []) {
        counted.set(`${percent} ${state.question.keyOf(key)}`, doc_count);
      }
    }
    state.open = state.open.flatMap((sought) => {
      const { group, percent } = sought;
      const before = counted.get(`${percent} ${group.key}`) ?? 0;
      return decide(sought, before, values.get(group.key) ?? [], state.found);
    });
  }
}

/** Percents for which what lies below must be counted as well. */
function percentsOf(open: readonly Sought[]): number[] {
  return [...new Set(open.filter(({ from }) => from !== null).map(({ percent }) => percent))];
}

type Value = [ms: number, count: number];

/** Empty where it was found, which `found` then has; else where it must be looked for next. */
function decide(
  sought: Sought,
  below: number,
  values: readonly Value[],
  found: State['found'],
): Sought[] {
  const { group, percent, rank, from, through } = sought;
  if (below >= rank && from !== null) {
    return [{ ...sought, from: null, through: through === null ? null : from - 1 }];
  }
  let passed = below;
  let last: number | null = null;
  for (const [ms, count] of values) {
    if (ms < (from ?? -Infinity) || ms > (through ?? Infinity)) continue;
    passed += count;
    last = ms;
    if (passed >= rank) break;
  }
  // Steps may have changed since they were counted: then the greatest there is.
  if (last !== null && (passed >= rank || (from === null && through === null))) {
    found.get(group.key)?.set(percent, last);
    return [];
  }
  return [{ ...sought, from: from === null ? null : through, through: null }];
}

async function allValues(
  searcher: Searcher,
  { question, open }: State,
  first: Aggregated<Counts> | undefined,
  deadline: number,
): Promise<Map<string, Value[]>> {
  const values = new Map<string, Value[]>();
  for (let answer = first; ; ) {
    const { buckets = [], after_key } = answer?.aggregations?.counts ?? {};
    for (const { key, doc_count } of buckets) {
      const of = question.keyOf(key);
      const known = values.get(of);
      if (known === undefined) values.set(of, [[Number(key.ms), doc_count]]);
      else known.push([Number(key.ms), doc_count]);
    }
    if (after_key === undefined || buckets.length < BUCKETS_PAGE) return values;
    if (performance.now() > deadline) throw queryTimeout();
    [answer] = await searcher.aggregate([insideSearch(question, open, after_key)], COUNTS);
  }
}

function insideSearch(
  question: RankQuestion,
  open: readonly Sought[],
  after: object | undefined,
): Search {
  const groups = Map.groupBy(open, ({ group }) => group);
  const wanted = [...groups].map(([{ is }, sought]) =>
    all([...is, any(sought.map(({ from, through }) => durationIn(from, through)))]),
  );
  const ms = { ms: { histogram: { field: DURATION, interval: 1 } } };
  return counting(question, wanted, {
    sources: [...question.sources, ms],
    size: BUCKETS_PAGE,
    ...(after === undefined ? {} : { after }),
  });
}

function belowSearch(question: RankQuestion, open: readonly Sought[], percent: number): Search {
  const wanted = open.flatMap(({ group, percent: of, from }) =>
    of === percent && from !== null ? [all([...group.is, durationIn(null, from - 1)])] : [],
  );
  return counting(question, wanted, { sources: question.sources, size: wanted.length });
}

function durationIn(from: number | null, through: number | null): Query {
  if (from === null && through === null) return { exists: { field: DURATION } };
  return {
    range: {
      [DURATION]: {
        ...(from === null ? {} : { gte: from }),
        ...(through === null ? {} : { lt: through + 1 }),
      },
    },
  };
}

function counting(
  { search, query }: RankQuestion,
  wanted: readonly Query[],
  composite: object,
): Search {
  return {
    ...search,
    body: {
      size: 0,
      track_total_hits: false,
      query: all([query, any(wanted)]),
      aggs: { counts: { composite } },
    },
  };
}

/** Events over time. */
import { z } from 'zod';
import { LOG_LEVELS } from '../../../domain/event/event.ts';
import type { EventHistogram } from '../../../domain/fold/views.ts';
import { histogramGrid } from '../../../domain/histogram.ts';
import type { EventFilter } from '../../../domain/search/filter.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { eventQuery } from '../query/event-query.ts';
import { type Scopes, searchOn } from './event-scope.ts';

const END = z.object({ value: z.number().nullable() });
const ENDS = z.object({ from: END, to: END });
const LEVEL = z.object({ key: z.string(), doc_count: z.number() });
const TIME = z.object({ key: z.number(), levels: z.object({ buckets: z.array(LEVEL) }) });
const COUNTS = z.object({ times: z.object({ buckets: z.array(TIME) }) });

const EMPTY: EventHistogram = { intervalMs: 1_000, total: 0, buckets: [] };

export async function readHistogram(
  searcher: Searcher,
  scopes: Scopes,
  filter: EventFilter,
  buckets: number,
): Promise<EventHistogram> {
  const { targets } = await scopes.of(filter.taskId);
  const query = eventQuery(filter);
  const search = <A>(aggs: object, schema: z.ZodType<A>) =>
    searcher.aggregate(
      targets.map((target) => searchOn(target, query, { size: 0, track_total_hits: false, aggs })),
      schema,
    );
  let { from, to } = filter;
  if (from === undefined || to === undefined) {
    const aggs = {
      from: { min: { field: '@timestamp' } },
      to: { max: { field: '@timestamp' } },
    };
    const answers = await search(aggs, ENDS);
    const firsts = answers.flatMap(({ aggregations }) => aggregations?.from.value ?? []);
    const lasts = answers.flatMap(({ aggregations }) => aggregations?.to.value ?? []);
    if (firsts.length === 0) return EMPTY;
    from ??= Math.min(...firsts);
    to ??= Math.max(...lasts) + 1;
  }
  if (from >= to) return EMPTY;
  const { intervalMs, start, count } = histogramGrid(from, to, buckets);
  const times = {
    date_histogram: {
      field: '@timestamp',
      fixed_interval: `${intervalMs}ms`,
      offset: `${mod(start, intervalMs)}ms`,
      min_doc_count: 1,
    },
    aggs: { levels: { terms: { field: 'log.level', size: LOG_LEVELS.length } } },
  };
  const answers = await search({ times }, COUNTS);
  const cells = Array.from({ length: count }, () => new Map<string, number>());
  for (const { aggregations } of answers) {
    for (const { key, levels } of aggregations?.times.buckets ?? []) {
      const cell = cells[Math.floor((key - start) / intervalMs)];
      for (const level of levels.buckets) {
        cell?.set(level.key, (cell.get(level.key) ?? 0) + level.doc_count);
      }
    }
  }
  const filled = cells.map((cell, i) => ({
    at: (start as number) + i * intervalMs,
    total: [...cell.values()].reduce((sum, n) => sum + n, 0),
    byLevel: LOG_LEVELS.flatMap((level) => {
      const n = cell.get(level);
      return n === undefined ? [] : [{ level, count: n }];
    }),
  }));
  return { intervalMs, total: filled.reduce((sum, { total }) => sum + total, 0), buckets: filled };
}

function mod(a: number, b: number): number {
  return ((a % b) + b) % b;
}

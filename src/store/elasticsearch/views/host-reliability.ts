/** How often the runs of hosts fail, and which step fails most. */
import { z } from 'zod';
import type { HostReliability } from '../../../domain/fold/views.ts';
import { compareText } from '../../../domain/text/text-order.ts';
import type { Searcher } from '../cluster/searcher.ts';
import type { Names } from '../indices/names.ts';
import { all, between, type Query } from '../query/dsl.ts';
import { runQuery } from '../query/view-query.ts';

const STEPS_MAX = 1_000;

const COUNT = z.object({ doc_count: z.number() });
const RUNS = z.object({
  failed: COUNT,
  steps: z.object({ buckets: z.array(COUNT.extend({ key: z.string() })) }),
});

/** Counts the runs that began in [from, to). */
export async function readReliability(
  { searcher, names }: { searcher: Searcher; names: Names },
  hosts: readonly string[],
  from: number | null,
  to: number | null,
): Promise<HostReliability[]> {
  const began: Query[] = [
    { exists: { field: 'event.start' } },
    ...between('event.start', from ?? undefined, to ?? undefined),
  ];
  const answers = await searcher.aggregate(
    hosts.map((host) => ({
      index: names.allViews,
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
    RUNS,
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

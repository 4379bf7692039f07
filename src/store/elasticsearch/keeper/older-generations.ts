/**
 * Views of an older generation: left over when the log was restored to an earlier state, or folded
 * anew. What the log still has was written again with the new generation; the rest is removed.
 */
import { z } from 'zod';
import type { Bulk } from '../cluster/bulk.ts';
import { type Connection, unavailable } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';

const HITS = z.object({
  _shards: z.object({ failed: z.int() }),
  hits: z.object({ hits: z.array(z.object({ _id: z.string(), _routing: z.string().optional() })) }),
});

export interface OlderGenerationsParts {
  connection: Connection;
  bulk: Bulk;
  refresher: Refresher;
  index: string;
  generation: number;
}

const PAGE = 2_000;

/** Removes them from one shard of a day's views. `version`: of the position that is folded. */
export async function removeOlderGenerations(
  { connection, bulk, refresher, index, generation }: OlderGenerationsParts,
  shard: number,
  version: number,
): Promise<void> {
  for (;;) {
    await refresher.refresh(index);
    const { hits, _shards } = await connection.expect(
      {
        method: 'POST',
        path: `/${index}/_search`,
        query: { preference: `_shards:${shard}`, allow_partial_search_results: false },
        body: {
          size: PAGE,
          _source: false,
          track_total_hits: false,
          query: { range: { 'shiplog.generation': { lt: generation } } },
        },
        safe: true,
      },
      HITS,
    );
    if (_shards.failed > 0) throw unavailable('Old views could not be looked for');
    if (hits.hits.length === 0) return;
    await bulk.send(
      hits.hits.map(({ _id, _routing }) => {
        const place = { _index: index, _id, routing: _routing };
        const action = { delete: { ...place, version, version_type: 'external_gte' } };
        return { action: JSON.stringify(action), source: '' };
      }),
    );
    if (hits.hits.length < PAGE) return;
  }
}

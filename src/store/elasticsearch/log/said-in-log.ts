/** The events of a task that say something of it, as the log has them. */
import { z } from 'zod';
import type { LogEvent } from '../../../domain/event/event.ts';
import type { Connection } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';
import { type Names, shardPreference } from '../indices/names.ts';
import type { Registered } from '../indices/task-registry.ts';
import { type EventDocument, storedEvent } from './event-document.ts';

const PAGE = 1_000;
const HITS = z.object({
  hits: z.object({
    hits: z.array(
      z.object({ _source: z.custom<EventDocument>(), _seq_no: z.int(), sort: z.array(z.number()) }),
    ),
  }),
});

export interface SaidParts {
  connection: Connection;
  names: Names;
  refresher: Pick<Refresher, 'refresh'>;
}

export async function saidInLog(
  { connection, names, refresher }: SaidParts,
  { day, shard, taskId }: Registered,
): Promise<LogEvent[]> {
  if (shard === null) return [];
  const index = names.events(day);
  await refresher.refresh(index);
  const events: LogEvent[] = [];
  for (let after: number[] | null = null; ; ) {
    const answer: z.infer<typeof HITS> = await connection.expect(
      {
        method: 'POST',
        path: `/${index}/_search`,
        query: { preference: shardPreference(shard), allow_partial_search_results: false },
        body: {
          size: PAGE,
          track_total_hits: false,
          seq_no_primary_term: true,
          query: {
            bool: {
              filter: [
                { term: { 'shiplog.task.id': taskId } },
                { term: { 'shiplog.kind': 'TASK' } },
              ],
            },
          },
          sort: [{ _seq_no: 'asc' }],
          ...(after === null ? {} : { search_after: after }),
        },
        safe: true,
      },
      HITS,
    );
    const { hits } = answer.hits;
    for (const { _source, _seq_no } of hits) {
      events.push(storedEvent(_source, { shard, seq: _seq_no + 1 }));
    }
    if (hits.length < PAGE) return events;
    after = hits.at(-1)?.sort ?? null;
  }
}

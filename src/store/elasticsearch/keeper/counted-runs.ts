/**
 * The runs of tasks as a keeper before this one stored them. Each of them is told, not only how many
 * there are: that keeper may still write, and a run that is read later than it was counted would be
 * counted in one status and taken away from another.
 */
import { z } from 'zod';
import { RUN_STATUSES, type RunStatus } from '../../../domain/event/event.ts';
import { moveRun, NO_RUNS, type RunTotals } from '../../../domain/fold/fold.ts';
import type { Connection } from '../cluster/connection.ts';

export interface CountedRuns {
  totals: RunTotals;
  /** By host: what each of them was counted as. */
  bases: Map<string, RunStatus>;
}

export interface CountedRunsParts {
  connection: Connection;
  /** The index of the day's views. */
  index: string;
  preference: string;
  generation: number;
}

const PAGE = 5_000;
const TASKS_AT_A_TIME = 1_000;

const HITS = z.object({
  hits: z.object({
    hits: z.array(
      z.object({
        fields: z.object({
          'shiplog.base_status': z.tuple([z.enum(RUN_STATUSES)]),
          'event.end': z.tuple([z.string().regex(/^-?\d+$/)]).optional(),
        }),
        sort: z.tuple([z.string(), z.string()]),
      }),
    ),
  }),
});
type Hit = z.infer<typeof HITS>['hits']['hits'][number];

/** By task; a task without runs is in it too. To be called after a refresh. */
export async function countRuns(
  parts: CountedRunsParts,
  taskIds: readonly string[],
): Promise<Map<string, CountedRuns>> {
  const counted = new Map<string, CountedRuns>();
  for (const id of taskIds) counted.set(id, { totals: NO_RUNS, bases: new Map() });
  for (let at = 0; at < taskIds.length; at += TASKS_AT_A_TIME) {
    const ids = taskIds.slice(at, at + TASKS_AT_A_TIME);
    for (let after: Hit['sort'] | null = null; ; ) {
      const page: Hit[] = await read(parts, ids, after);
      for (const { fields, sort } of page) {
        const of = counted.get(sort[0]);
        if (of !== undefined) add(of, sort[1], fields);
      }
      if (page.length < PAGE) break;
      after = page.at(-1)?.sort ?? null;
    }
  }
  return counted;
}

function add(counted: CountedRuns, host: string, fields: Hit['fields']): void {
  const [base] = fields['shiplog.base_status'];
  const end = fields['event.end'] === undefined ? null : Number(fields['event.end'][0]);
  const totals = moveRun(counted.totals, null, base);
  const last = totals.lastFinishedAt;
  if (end !== null && (last === null || end > last)) totals.lastFinishedAt = end;
  counted.totals = totals;
  counted.bases.set(host, base);
}

async function read(
  { connection, index, preference, generation }: CountedRunsParts,
  ids: readonly string[],
  after: Hit['sort'] | null,
): Promise<Hit[]> {
  const { hits } = await connection.expect(
    {
      method: 'POST',
      path: `/${index}/_search`,
      query: { preference, allow_partial_search_results: false },
      body: {
        size: PAGE,
        query: runsOf(ids, generation),
        sort: [{ 'shiplog.task.id': 'asc' }, { 'host.name': 'asc' }],
        _source: false,
        docvalue_fields: ['shiplog.base_status', { field: 'event.end', format: 'epoch_millis' }],
        track_total_hits: false,
        ...(after === null ? {} : { search_after: after }),
      },
      safe: true,
    },
    HITS,
  );
  return hits.hits;
}

/** Runs of this generation alone, so that no other version's statuses are among them. */
export function runsOf(taskIds: readonly string[], generation: number): object {
  return {
    bool: {
      filter: [
        { term: { 'shiplog.view': 'run' } },
        { terms: { 'shiplog.task.id': taskIds } },
        { term: { 'shiplog.generation': generation } },
      ],
    },
  };
}

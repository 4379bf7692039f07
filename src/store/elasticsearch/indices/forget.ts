/**
 * What outlives a day in the fixed indices, and goes when nobody can need it any more: of a day
 * that was removed the tasks' registrations, and where its shards ended; and hosts that were
 * silent for as long as retention, and that no kept task has.
 */

import { z } from 'zod';
import type { PageKey } from '../../../domain/cursor/page.ts';
import { type Bulk, type BulkItem, bulkDelete } from '../cluster/bulk.ts';
import type { Connection } from '../cluster/connection.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { all, type Query } from '../query/dsl.ts';
import type { Searched } from '../query/page.ts';
import type { Days } from './days.ts';
import { dayId } from './ids.ts';
import type { Names } from './names.ts';

export interface ForgetParts {
  connection: Connection;
  bulk: Bulk;
  searcher: Searcher;
  names: Names;
  days: Days;
}

const PAGE = 1_000;

/**
 * Forgets removed days whose time is over, so that the ids of their tasks may be used again. `now`,
 * `until`: epoch milliseconds.
 */
export async function forgetDays(parts: ForgetParts, now: number, until: number): Promise<void> {
  const { connection, days, bulk, names } = parts;
  // A day that was removed a moment ago is not in searches yet.
  await connection.expect({ method: 'POST', path: `/${names.meta}/_refresh` });
  for (const { day, known } of await removedDays(parts)) {
    // An older version did not write until when it is known: that is added now.
    if (known === null) await days.recordFinal(day, {}, until);
    else if (known < now) {
      await removeAll(parts, [
        { term: { 'shiplog.kind': 'task' } },
        { term: { 'shiplog.day': day } },
      ]);
      // Last, so that a stop before it leaves the day to the next run.
      await bulk.send([bulkDelete({ _index: names.meta, _id: dayId(day) })]);
      days.forgetFinal(day);
    }
  }
}

async function removedDays({ searcher, names }: ForgetParts) {
  const found: { day: string; known: number | null }[] = [];
  const sort = [{ 'shiplog.day': 'asc' }];
  for (let after: PageKey | null = null; ; ) {
    const { hits }: Searched<DayHit> = await searcher.one({
      index: names.meta,
      body: {
        ...{ size: PAGE, sort, _source: ['shiplog.day', 'shiplog.until'] },
        query: all([{ term: { 'shiplog.kind': 'day' } }]),
        ...(after === null ? {} : { search_after: after }),
      },
    });
    for (const { _source } of hits) {
      if (_source !== undefined) {
        found.push({ day: _source.shiplog.day, known: _source.shiplog.until ?? null });
      }
    }
    if (hits.length < PAGE) return found;
    after = hits.at(-1)?.sort ?? null;
  }
}

async function removeAll(
  { connection, bulk, searcher, names }: ForgetParts,
  query: readonly Query[],
): Promise<void> {
  for (;;) {
    await connection.expect({ method: 'POST', path: `/${names.meta}/_refresh` });
    const { hits } = await searcher.one({
      index: names.meta,
      body: { size: PAGE, _source: false, track_total_hits: false, query: all(query) },
    });
    if (hits.length === 0) return;
    await bulk.send(hits.map(({ _id }) => bulkDelete({ _index: names.meta, _id })));
  }
}

interface DayHit {
  shiplog: { day: string; until?: number };
}
const HOSTS = z.object({ hosts: z.object({ buckets: z.array(z.object({ key: z.string() })) }) });
interface HostHit {
  host: { name: string };
}

/**
 * Removes hosts that are silent since `before` and that no task has. One that reports meanwhile has
 * another version by then, and stays.
 */
export async function forgetHosts(
  { searcher, bulk, names }: ForgetParts,
  before: number,
): Promise<void> {
  for (let after: PageKey | null = null; ; ) {
    const { hits }: Searched<HostHit> = await searcher.one({
      index: names.hosts,
      body: {
        ...{ size: PAGE, _source: ['host.name'], seq_no_primary_term: true },
        sort: [{ 'host.name': 'asc' }],
        query: all([{ range: { 'event.ingested': { lt: before } } }]),
        track_total_hits: false,
        ...(after === null ? {} : { search_after: after }),
      },
    });
    if (hits.length === 0) return;
    const kept = await hostsOfTasks(
      { searcher, names },
      hits.map(({ sort }) => String(sort[0])),
    );
    const gone = hits.flatMap(({ _id, _seq_no, _primary_term, sort }): BulkItem[] =>
      kept.has(String(sort[0]))
        ? []
        : [
            bulkDelete({
              _index: names.hosts,
              _id,
              if_seq_no: _seq_no,
              if_primary_term: _primary_term,
            }),
          ],
    );
    if (gone.length > 0) await bulk.send(gone);
    if (hits.length < PAGE) return;
    after = hits.at(-1)?.sort ?? null;
  }
}

/** Which of the hosts have a run in a task, be it only planned. */
async function hostsOfTasks(
  { searcher, names }: Pick<ForgetParts, 'searcher' | 'names'>,
  hosts: readonly string[],
): Promise<Set<string>> {
  const search = {
    index: names.allViews,
    body: {
      ...{ size: 0, track_total_hits: false },
      query: all([{ term: { 'shiplog.view': 'run' } }, { terms: { 'host.name': hosts } }]),
      aggs: { hosts: { terms: { field: 'host.name', size: PAGE } } },
    },
  };
  const [answer] = await searcher.aggregate([search], HOSTS);
  return new Set(answer?.aggregations?.hosts.buckets.map(({ key }) => key) ?? []);
}

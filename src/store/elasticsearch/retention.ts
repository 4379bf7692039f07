/**
 * Retention: a day goes whole, by deleting its indices, when the last event of any task that began
 * on it is older than the limit. Where its shards ended is written down before, so that a cursor
 * can tell whether it had everything; and its tasks stay registered, so that they stay expired.
 */
import type { RetentionReport } from '../store.ts';
import type { Connection } from './connection.ts';
import type { Days, FinalSeqs } from './days.ts';
import { DAY_MS, dayAt, type Names } from './names.ts';
import type { Searcher } from './searcher.ts';
import type { ShardInfo, Shards } from './shards.ts';

export interface RetentionParts {
  connection: Connection;
  searcher: Searcher;
  names: Names;
  days: Days;
  shards: Shards;
  retentionDays: number;
  now: () => number;
  /** Resolves when views hold everything of these shards. */
  settle: (infos: readonly ShardInfo[]) => Promise<void>;
  forget: (day: string) => void;
}

interface Answer {
  tasks: { doc_count: number };
  last: { value: number | null };
}

export async function applyRetention(parts: RetentionParts): Promise<RetentionReport> {
  const { shards, now, retentionDays } = parts;
  const report: RetentionReport = { removedTasks: 0, removedEvents: 0, removedDays: [] };
  const before = now() - retentionDays * DAY_MS;
  const days = Map.groupBy(await shards.read(null), ({ day }) => day);
  // A task's last event is not older than its day.
  const limit = dayAt(before);
  for (const [day, infos] of [...days].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (day > limit) continue;
    if ((await oldDay(parts, day, infos, before)) === null) continue;
    // From here on nothing comes in any more; what came until now is looked at once again.
    await blockWrites(parts, day, true);
    const last = await shards.read(day);
    const old = await oldDay(parts, day, last, before);
    if (old === null) {
      await blockWrites(parts, day, null);
      continue;
    }
    report.removedTasks += old.tasks;
    report.removedEvents += last.reduce((sum, { seq }) => sum + seq, 0);
    report.removedDays.push(day);
    await drop(parts, day, last);
  }
  return report;
}

/** How many tasks the day has; null: something in it is younger than the limit. */
async function oldDay(
  { searcher, names, settle }: RetentionParts,
  day: string,
  infos: readonly ShardInfo[],
  before: number,
): Promise<{ tasks: number } | null> {
  await settle(infos);
  const { aggregations } = await searcher.one<unknown, Answer>({
    index: names.views(day),
    body: {
      size: 0,
      aggs: {
        tasks: { filter: { term: { 'shiplog.view': 'task' } } },
        last: { max: { field: 'event.ingested' } },
      },
    },
  });
  const last = aggregations?.last.value ?? null;
  if (last === null ? infos.some(({ seq }) => seq > 0) : last >= before) return null;
  return { tasks: aggregations?.tasks.doc_count ?? 0 };
}

/** A block waits for the writes that are under way: an acknowledged event is not lost behind it. */
async function blockWrites(
  { connection, names }: RetentionParts,
  day: string,
  on: true | null,
): Promise<void> {
  const index = names.events(day);
  if (on) await connection.expect({ method: 'PUT', path: `/${index}/_block/write` });
  else {
    const body = { 'index.blocks.write': null };
    await connection.expect({ method: 'PUT', path: `/${index}/_settings`, body });
  }
}

async function drop(
  { connection, names, days, shards, forget }: RetentionParts,
  day: string,
  infos: readonly ShardInfo[],
): Promise<void> {
  const final: FinalSeqs = {};
  for (const { number, seq } of infos) final[number] = seq;
  await days.recordFinal(day, final);
  await connection.expect({
    method: 'DELETE',
    path: `/${names.events(day)},${names.views(day)}`,
    query: { ignore_unavailable: true },
  });
  days.forget(day);
  shards.forget(day);
  forget(day);
}

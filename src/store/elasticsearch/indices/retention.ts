/**
 * Retention: a day goes whole, by deleting its indices, when the last event of any task that began
 * on it is older than the limit. Where its shards ended is written down before, so that a cursor
 * can tell whether it had everything; and its tasks stay registered for as long again, so that they
 * stay expired.
 */
import { z } from 'zod';
import type { RetentionReport } from '../../store.ts';
import { bulkDelete } from '../cluster/bulk.ts';
import type { FinalSeqs } from './days.ts';
import { type ForgetParts, forgetDays, forgetHosts } from './forget.ts';
import { shardId } from './ids.ts';
import { DAY_MS, dayAt } from './names.ts';
import type { ShardInfo, Shards } from './shards.ts';

export interface RetentionParts extends ForgetParts {
  shards: Shards;
  retentionDays: number;
  now: () => number;
  /** Resolves when views hold everything of these shards. */
  settle: (infos: readonly ShardInfo[]) => Promise<void>;
  forget: (day: string) => void;
}

const DAY = z.object({
  tasks: z.object({ doc_count: z.number() }),
  last: z.object({ value: z.number().nullable() }),
});

/** What fails is left to the next run and thrown at the end: a day that is away keeps no other. */
export async function applyRetention(parts: RetentionParts): Promise<RetentionReport> {
  const { shards, now, retentionDays } = parts;
  const report: RetentionReport = { removedTasks: 0, removedEvents: 0, removedDays: [] };
  const before = now() - retentionDays * DAY_MS;
  const days = Map.groupBy(await shards.read(null), ({ day }) => day);
  const until = now() + retentionDays * DAY_MS;
  const blocked = await blockedDays(parts);
  // A task's last event is not older than its day, so no later day can be old.
  const limit = dayAt(before);
  const failures: unknown[] = [];
  const go = (step: () => Promise<void>) => step().catch((error) => failures.push(error));
  for (const [day, infos] of [...days].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await go(async () => {
      if (day <= limit && (await oldDay(parts, day, infos, before)) !== null) {
        const removed = await removeDay(parts, day, before, until);
        if (removed === null) return;
        report.removedTasks += removed.tasks;
        report.removedEvents += removed.events;
        report.removedDays.push(day);
      } else if (blocked.has(day)) await unblock(parts, day);
    });
  }
  await go(() => forgetDays(parts, now(), until));
  await go(() => forgetHosts(parts, before));
  if (failures.length > 0) throw failures[0];
  return report;
}

/** null: an event came meanwhile, and the day stays. Whatever happens, it does not stay blocked. */
async function removeDay(
  parts: RetentionParts,
  day: string,
  before: number,
  until: number,
): Promise<{ tasks: number; events: number } | null> {
  let gone = false;
  try {
    // From here on nothing comes in any more; what came until now is looked at once again.
    await block(parts, day);
    const last = await parts.shards.read(day);
    const old = await oldDay(parts, day, last, before);
    if (old === null) return null;
    await drop(parts, day, last, until);
    gone = true;
    return { tasks: old.tasks, events: last.reduce((sum, { seq }) => sum + seq, 0) };
  } finally {
    // If the cluster is away now, the next run of retention takes the block away.
    if (!gone) await unblock(parts, day).catch(() => undefined);
  }
}

/** How many tasks the day has; null: something in it is younger than the limit. */
async function oldDay(
  { searcher, names, settle }: RetentionParts,
  day: string,
  infos: readonly ShardInfo[],
  before: number,
): Promise<{ tasks: number } | null> {
  await settle(infos);
  const search = {
    index: names.views(day),
    body: {
      size: 0,
      aggs: {
        tasks: { filter: { term: { 'shiplog.view': 'task' } } },
        last: { max: { field: 'event.ingested' } },
      },
    },
  };
  const [answer] = await searcher.aggregate([search], DAY);
  const aggregations = answer?.aggregations;
  const last = aggregations?.last.value ?? null;
  if (last === null ? infos.some(({ seq }) => seq > 0) : last >= before) return null;
  return { tasks: aggregations?.tasks.doc_count ?? 0 };
}

/** The block waits for writes that are under way, so no event is acknowledged behind it. */
async function block({ connection, names }: RetentionParts, day: string): Promise<void> {
  await connection.expect({ method: 'PUT', path: `/${names.events(day)}/_block/write` });
}

async function unblock({ connection, names }: RetentionParts, day: string): Promise<void> {
  await connection.expect({
    method: 'PUT',
    path: `/${names.events(day)}/_settings`,
    query: { ignore_unavailable: true },
    body: { 'index.blocks.write': null },
  });
}

const BLOCKS = z.object({ write: z.string().optional() });
const SETTINGS = z.record(
  z.string(),
  z.object({
    settings: z.object({ index: z.object({ blocks: BLOCKS.optional() }).optional() }).optional(),
  }),
);

/** Days that take no events: a run of retention stopped between the block and the end of it. */
async function blockedDays({ connection, names }: RetentionParts): Promise<Set<string>> {
  const found = await connection.expect(
    { method: 'GET', path: `/${names.allEvents}/_settings/index.blocks.write` },
    SETTINGS,
  );
  return new Set(
    Object.entries(found).flatMap(([index, { settings }]) =>
      settings?.index?.blocks?.write === 'true' ? (names.dayOf(index) ?? []) : [],
    ),
  );
}

async function drop(
  { connection, bulk, names, days, shards, forget }: RetentionParts,
  day: string,
  infos: readonly ShardInfo[],
  until: number,
): Promise<void> {
  const final: FinalSeqs = {};
  for (const { number, seq } of infos) final[number] = seq;
  await days.recordFinal(day, final, until);
  await connection.expect({
    method: 'DELETE',
    path: `/${names.events(day)},${names.views(day)}`,
    query: { ignore_unavailable: true },
  });
  days.forget(day);
  shards.forget(day);
  forget(day);
  await bulk.send(
    infos.map(({ shard }) => bulkDelete({ _index: names.meta, _id: shardId(shard) })),
  );
}

/** What is held against a cluster after its faults: what was delivered, and the views. */
import { expect } from 'vitest';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import type { Store } from '../../src/store/store.ts';
import { allRows, aPage } from './harness.ts';
import { foldLog } from './oracle.ts';

/** Everything acknowledged was delivered, once, in the order of its shard. */
export function expectExact(
  delivered: readonly StoredEvent[],
  acknowledged: ReadonlySet<string>,
): void {
  const ids = new Set(delivered.map(({ id }) => id));
  expect(ids.size, 'each once').toBe(delivered.length);
  expect(
    [...acknowledged].filter((id) => !ids.has(id)),
    'nothing lost',
  ).toEqual([]);
  expect(ids.size, 'nothing that was not acknowledged').toBe(acknowledged.size);
  for (const [shard, events] of Map.groupBy(delivered, ({ position }) => position.shard)) {
    const seqs = events.map(({ position }) => position.seq);
    expect(seqs, `in order in ${shard}`).toEqual(seqs.toSorted((a, b) => a - b));
  }
}

/** They are a fold of the log. */
export async function expectViews(store: Store, log: readonly StoredEvent[]): Promise<void> {
  await store.viewsReach(log.map(({ position }) => position));
  const folded = foldLog(log);
  const runs = await allRows(
    async (page) =>
      (await store.runs([{ filter: {}, order: 'HOST_ASC', page }]))[0] as Awaited<
        ReturnType<typeof store.runs>
      >[0] &
        object,
    false,
    200,
  );
  const key = ({ taskId, host }: { taskId: string; host: string }) => `${taskId} ${host}`;
  const byKey = (list: { taskId: string; host: string }[]) =>
    list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  expect(byKey(runs.map(({ node }) => node))).toEqual(byKey(folded.runs));
  const tasks = await store.tasksById(folded.tasks.map(({ id }) => id));
  expect(tasks).toEqual(folded.tasks);
  const page = aPage({ limit: 500 });
  const hosts = await store.hosts({ filter: {}, page });
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  expect(hosts.rows.map(({ node }) => node)).toEqual(folded.hosts.toSorted(byName));
}

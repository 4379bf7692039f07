/** What a keeper holds in memory of the views that it folds, however large they are. */
import { expect, it } from 'vitest';
import type { BulkItem } from '../../src/store/elasticsearch/cluster/bulk.ts';
import type { Connection } from '../../src/store/elasticsearch/cluster/connection.ts';
import { runId, taskHostsId, taskId } from '../../src/store/elasticsearch/indices/ids.ts';
import { SetAside } from '../../src/store/elasticsearch/keeper/set-aside.ts';
import { TaskEntries } from '../../src/store/elasticsearch/keeper/task-entries.ts';
import { ViewFolder } from '../../src/store/elasticsearch/keeper/view-folder.ts';
import { ViewWriter } from '../../src/store/elasticsearch/keeper/view-writer.ts';
import { DEFAULT_PLAN } from '../../src/domain/event/event.ts';
import { emptyRun, emptyTask, foldRun, NO_RUNS } from '../../src/domain/fold/fold.ts';
import { anEvent, aStatus, aTaskEvent } from './events.ts';

const SHARD = '2025-10-09/0';
const INDEX = 'views';
const STEPS = 100;
const HOSTS = 600;
/** All of them are 60,600 documents. */
const BOUND = 40_000;

/**
 * A cluster that takes all, and in which nothing is stored yet, or what `stored` says of each id: a
 * real one takes minutes.
 */
function aFolder(stored: (id: string) => object | null = () => null) {
  const unstored = new Set<string>();
  const written: string[] = [];
  let most = 0;
  const aside = new SetAside(null);
  const connection = {
    expect: async ({ body }: { body: { docs?: { _id: string }[] } }) =>
      body.docs === undefined
        ? { hits: { hits: [] } }
        : {
            docs: body.docs.map(({ _id }) => {
              const source = stored(_id);
              if (source === null) return { found: false };
              return { found: true, _source: source, _seq_no: 1, _primary_term: 1 };
            }),
          },
  } as unknown as Connection;
  const send = async (items: readonly BulkItem[]) => {
    most = Math.max(most, unstored.size);
    for (const { action } of items) {
      const { index } = JSON.parse(action) as { index: { _id: string } };
      unstored.delete(index._id);
      written.push(index._id);
    }
    return items.map(() => ({ state: 'done', seq: 1, term: 1 }) as const);
  };
  const writer = new ViewWriter({
    ...{ bulk: { send }, index: INDEX, aside },
    mayWrite: async () => true,
    onWrite: () => undefined,
  });
  const put = writer.put.bind(writer);
  writer.put = (of, host, id, source) => {
    unstored.add(id);
    put(of, host, id, source);
  };
  const entries = new TaskEntries({
    ...{ connection, refresher: { refresh: async () => undefined } },
    ...{ index: INDEX, shard: SHARD, generation: 0, aside },
  });
  const folder = new ViewFolder({ generation: 0, entries, writer, aside });
  return { folder, entries, written, most: () => most };
}

function aLargeTask() {
  const plan = Array.from({ length: STEPS }, (_, i) => `step-number-${i}`);
  const hosts = Array.from({ length: HOSTS }, (_, i) => `web-${i}.prod.example.com`);
  const began = aTaskEvent({ change: 'began', plan, hosts }, { taskId: 'large' });
  return { ...began, position: { shard: SHARD, seq: 1 } };
}

it('views of one event are written bit by bit where they are large, and those of the task last', async () => {
  const { folder, written, most } = aFolder();
  await folder.fold([aLargeTask()]);
  await folder.store(1);
  expect(most()).toBeLessThan(BOUND);
  expect(new Set(written).size).toBe(HOSTS * (STEPS + 1) + 2);
  expect(new Set(written.slice(-2))).toEqual(new Set([taskHostsId('large'), taskId('large')]));
});

it('whoever asks for a task whose views are too large for memory waits until they are stored', async () => {
  const { folder, written } = aFolder();
  await folder.fold([aLargeTask()]);
  expect(await folder.layOut('large')).toBe(false);
  expect(await folder.layOut('large')).toBe(false);
  expect(written).toEqual([]);
  await folder.store(1);
  expect(new Set(written).size).toBe(HOSTS * (STEPS + 1) + 2);
  expect(await folder.layOut('large')).toBe(true);
});

it('states that are heavy are read and stored bit by bit, and every event is folded', async () => {
  const hosts = Array.from({ length: 250 }, (_, i) => `web-${i}`);
  const events = [...hosts, ...hosts].map((host, i) => ({
    ...(i < hosts.length
      ? anEvent({ taskId: 'heavy', host })
      : aStatus('FAILED', { taskId: 'heavy', host })),
    position: { shard: SHARD, seq: i + 1 },
  }));
  const said = { command: 'x'.repeat(32_000), params: { x: 'x'.repeat(16_000) } };
  const heavy = DEFAULT_PLAN.reduce(
    (run, step, i) => {
      const event = aStatus('SUCCEEDED', { taskId: 'heavy', step, ...said });
      return foldRun(run, { ...event, position: { shard: SHARD, seq: i + 1 } });
    },
    emptyRun('heavy', 'web-1'),
  );
  const stored = new Map<string, object>([
    [
      taskId('heavy'),
      {
        shiplog: {
          generation: 0,
          state: JSON.stringify({ state: emptyTask('heavy'), totals: NO_RUNS }),
        },
      },
    ],
  ]);
  for (const host of hosts) {
    const state = JSON.stringify({ ...heavy, host });
    stored.set(runId('heavy', host), { shiplog: { generation: 0, base_status: 'PENDING', state } });
  }
  const { folder, entries, written } = aFolder((id) => stored.get(id) ?? null);
  const pieces: number[] = [];
  let most = 0;
  for (let at = 0; at < events.length; ) {
    const count = await folder.fold(events.slice(at));
    most = Math.max(most, entries.bytes);
    at += count;
    pieces.push(count);
    await folder.store(at);
    folder.forget(64 * 1024 * 1024);
  }
  expect(pieces.length).toBeGreaterThan(3);
  // What may be unstored, and what is read at a time at first.
  expect(most).toBeLessThan(120_000_000);
  const runs = new Set(written.filter((id) => hosts.some((host) => runId('heavy', host) === id)));
  expect(runs.size).toBe(hosts.length);
});

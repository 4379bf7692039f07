/** Who keeps the views of a shard while they take long to be written, and while two believe that they do. */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent, aStatus, aTaskEvent } from './events.ts';
import { contractSettings, fill, positionOf, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

/** A change of who keeps a shard, and up to where. */
const LEASE = /^PUT .*shard%3A/;
const HOSTS = Array.from({ length: 8 }, (_, i) => `web-${i}`);

interface Server {
  gate: Gate;
  store: ElasticsearchStore;
  /** What it warned of. */
  said: object[];
}

describe('The keeper of a shard', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  let prefix = '';
  let one: Server;
  let other: Server;
  const servers: Server[] = [];

  async function serve(): Promise<Server> {
    const gate = await openGate(elasticsearch?.url ?? '');
    const said: object[] = [];
    const store = await openElasticsearchStore({
      config: { urls: [gate.url], shards: 1, replicas: 0, prefix, leaseMs: 1_500 },
      settings: contractSettings,
      log: { warn: (fields) => said.push(fields), error: (fields) => said.push(fields) },
    });
    const server = { gate, store, said };
    servers.push(server);
    return server;
  }

  /** How many writes of views came from a server since. */
  function viewWrites({ gate }: Server): () => number {
    let writes = 0;
    gate.before(async (path, body) => {
      if (path.startsWith('/_bulk') && body.includes('-views-')) writes++;
      return 'pass';
    });
    return () => writes;
  }

  async function append(store: ElasticsearchStore, events: Parameters<typeof fill>[1]) {
    return (await store.append(events)).map(positionOf);
  }

  const step = (status: 'RUNNING' | 'SUCCEEDED') =>
    HOSTS.map((host) => aStatus(status, { taskId: 'kept', host, step: 'install' }));

  // One of them keeps the shard before there is another.
  beforeEach(async () => {
    prefix = elasticsearch.prefix();
    one = await serve();
    const began = { plan: ['install'], hosts: HOSTS };
    await fill(one.store, [
      aTaskEvent({ change: 'began', ...began }, { taskId: 'kept' }),
      ...step('RUNNING'),
    ]);
    other = await serve();
  });
  afterEach(async () => {
    for (const { gate, store } of servers.splice(0)) {
      gate.release();
      await store.close();
      gate.close();
    }
  });
  afterAll(() => elasticsearch.cleanUp());

  it('keeps it while it writes for longer than its lease, for it tells that it is alive', async () => {
    one.gate.hold('-views-');
    const positions = await append(one.store, step('SUCCEEDED'));
    const before = one.gate.answered(LEASE);
    await vi.waitFor(() => expect(one.gate.answered(LEASE)).toBeGreaterThan(before + 3), 10_000);
    expect(other.gate.answered(LEASE)).toBe(0);
    one.gate.release();
    await one.store.viewsReach(positions);
    expect(one.gate.answered(LEASE, 409)).toBe(0);
  });

  it('writes nothing more once it learns that it lost it', async () => {
    const writes = viewWrites(one);
    one.gate.hold('-views-');
    const plan = Array.from({ length: 50 }, (_, i) => `step-${i}`);
    const hosts = Array.from({ length: 80 }, (_, i) => `db-${i}`);
    // Its views are some thousand documents, of which three requests are under way at a time.
    const large = aTaskEvent({ change: 'began', plan, hosts }, { taskId: 'large' });
    const positions = await append(one.store, [large]);
    await vi.waitFor(() => expect(writes()).toBe(3), 5_000);
    const rebuilding = other.store.rebuild(() => undefined);
    await vi.waitFor(() => expect(one.gate.answered(LEASE, 409)).toBe(1), 5_000);
    // It takes nothing else meanwhile.
    const closing = one.store.close();
    one.gate.release();
    await closing;
    expect(writes()).toBe(3);
    await rebuilding;
    await other.store.viewsReach(positions);
    const { tasks } = foldLog(await wholeLog(other.store));
    expect(await other.store.tasksById(['kept', 'large'])).toEqual(tasks);
  });

  it('begins no other attempt while one is under way, of which a part has failed', async () => {
    one.gate.hold('-views-');
    one.gate.hide('-hosts');
    const positions = await append(one.store, [anEvent({ taskId: 'kept', host: 'new-1' })]);
    await vi.waitFor(() => expect(one.gate.hidden()).toBeGreaterThan(0), 5_000);
    const before = one.gate.answered(LEASE);
    await vi.waitFor(() => expect(one.gate.answered(LEASE)).toBeGreaterThan(before), 5_000);
    expect(one.said).toEqual([]);
    one.gate.show();
    one.gate.release();
    await one.store.viewsReach(positions);
  });

  it('counts each run once, also where the one before it still wrote while it read them', async () => {
    const writes = viewWrites(one);
    one.gate.hold('-views-');
    const positions = await append(one.store, step('SUCCEEDED'));
    await vi.waitFor(() => expect(writes()).toBe(1), 5_000);
    const written = () => one.store.metrics().view_documents_written_total;
    const before = written() ?? 0;
    // It cannot tell that it is alive any more, and what it sent is on its way yet.
    one.gate.before(async (path) => (path.includes('shard%3A') ? 'cut' : 'pass'));
    let counted = false;
    other.gate.before(async (path) => {
      if (/_msearch|-views-[^/]*\/_search/.test(path)) counted = true;
      else if (counted && path.startsWith('/_mget') && path.includes('base_status')) {
        one.gate.release();
        await vi.waitFor(() => expect(written()).toBeGreaterThan(before), 5_000);
      }
      return 'pass';
    });
    await other.store.viewsReach(positions);
    expect(counted).toBe(true);
    expect(written()).toBeGreaterThan(before);
    const { tasks, runs } = foldLog(await wholeLog(other.store));
    expect(tasks).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect(await other.store.tasksById(['kept'])).toEqual(tasks);
    expect(await other.store.runsByKey(runs)).toEqual(runs);
  });
});

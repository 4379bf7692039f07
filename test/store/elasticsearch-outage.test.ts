import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogEvent } from '../../src/domain/event/event.ts';
import type { ElasticsearchConfig } from '../../src/store/elasticsearch/cluster/config.ts';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import type { ViewSettings } from '../../src/store/store.ts';
import { openGate } from '../elasticsearch/gate.ts';
import { startNode, type TestNode } from '../elasticsearch/node.ts';
import { canStartNodes, sharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent } from './events.ts';
import { aPage, contractSettings, positionOf, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

const DAY_MS = 86_400_000;
/** Less than a server has, so that a test need not wait so long. */
const PATIENCE = { requestTimeoutMs: 2_000, appendTimeoutMs: 3_000 };
const list = { filter: {}, order: 'CREATED_DESC' as const, page: aPage() };

/** As a sender does: again until it is taken. */
async function untilTaken(store: ElasticsearchStore, events: LogEvent[]): Promise<void> {
  await vi.waitFor(async () => (await store.append(events)).forEach(positionOf), {
    timeout: 30_000,
    interval: 100,
  });
}

describe('When the node of Elasticsearch is away or hangs', async () => {
  if (!(await canStartNodes())) return;
  let node: TestNode;
  let store: ElasticsearchStore;
  let count = 0;

  beforeAll(async () => {
    node = await startNode();
    // A node takes longest for the first of everything, and some tests have little patience.
    await open();
    await store.close();
  }, 180_000);
  afterAll(() => node?.dispose());
  afterEach(() => store?.close());

  async function open(
    patience: Partial<ElasticsearchConfig> = {},
    settings: Partial<ViewSettings> = {},
  ): Promise<void> {
    const prefix = `outage${++count}`;
    store = await openElasticsearchStore({
      config: { urls: [node.url], shards: 1, replicas: 0, prefix, ...patience },
      settings: { ...contractSettings, ...settings },
    });
  }

  it('nothing is acknowledged while it is away, and all is well again when it is back [S7 A13]', async () => {
    await open(PATIENCE, { queryTimeoutMs: 1_500 });
    const before = anEvent({ taskId: 'away' });
    await untilTaken(store, [before]);
    await node.stop();
    const during = anEvent({ taskId: 'away' });
    await expect(store.append([during])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryAfterMs: expect.any(Number),
    });
    await expect(store.heads(null)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await store.health()).toMatchObject({ ok: false });
    await node.restart();
    const [outcome] = await vi.waitFor(() => store.append([during]), { timeout: 20_000 });
    expect(['STORED', 'DUPLICATE']).toContain(outcome?.outcome);
    const log = await wholeLog(store);
    expect(log.map(({ id }) => id)).toEqual([before.id, during.id]);
    await vi.waitFor(async () => expect(await store.health()).toMatchObject({ ok: true }), 10_000);
  }, 120_000);

  it('one that hangs is told within seconds, and readiness at once: no query was too slow', async () => {
    await open();
    await untilTaken(store, [anEvent({ taskId: 'hung' })]);
    node.pause();
    const began = performance.now();
    try {
      for (const ask of [() => store.tasksById(['hung']), () => store.tasks(list)]) {
        await expect(ask()).rejects.toMatchObject({
          code: 'STORE_UNAVAILABLE',
          retryAfterMs: expect.any(Number),
        });
      }
      // Nobody waits out the ten seconds that a query has.
      expect(performance.now() - began).toBeLessThan(6_000);
      const asked = performance.now();
      expect(await store.health()).toEqual({ ok: false, detail: 'Elasticsearch does not answer' });
      await expect(store.tasksById(['hung'])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(performance.now() - asked).toBeLessThan(500);
    } finally {
      node.resume();
    }
    await vi.waitFor(async () => expect(await store.health()).toMatchObject({ ok: true }), 5_000);
    expect(await store.tasksById(['hung'])).toMatchObject([{ id: 'hung' }]);
  }, 60_000);

  it('calls end when it hangs, and what was sent meanwhile is stored once', async () => {
    await open(PATIENCE, { queryTimeoutMs: 1_500 });
    await untilTaken(store, [anEvent({ taskId: 'hangs' })]);
    node.pause();
    const during = anEvent({ taskId: 'hangs' });
    try {
      await expect(store.append([during])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(store.tasks(list)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    } finally {
      node.resume();
    }
    await vi.waitFor(() => store.append([during]), { timeout: 20_000 });
    const log = await wholeLog(store);
    expect(log.filter(({ id }) => id === during.id)).toHaveLength(1);
  }, 60_000);
});

describe('When Elasticsearch is not well', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const { url } = elasticsearch;
  let store: ElasticsearchStore;
  let prefix = '';

  beforeEach(async () => {
    prefix = elasticsearch.prefix();
    store = await open();
  }, 60_000);
  afterEach(() => store?.close());
  afterAll(() => elasticsearch.cleanUp());

  const day = new Date(contractSettings.now()).toISOString().slice(0, 10);

  function open(
    shards = 1,
    now = contractSettings.now,
    at: Partial<ElasticsearchConfig> = {},
  ): Promise<ElasticsearchStore> {
    return openElasticsearchStore({
      config: { urls: [url], shards, replicas: 0, prefix, ...at },
      settings: { ...contractSettings, now },
    });
  }

  async function ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.json();
  }

  /** Without trying again until its time is over: others wait behind it. */
  async function refusedAtOnce(event: LogEvent): Promise<void> {
    const tries = store.metrics().bulk_retries_total;
    await expect(store.append([event])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryAfterMs: 5_000,
    });
    expect(store.metrics().bulk_retries_total).toBe(tries);
  }

  it('nobody who uses Shiplog is told where it is', async () => {
    const gate = await openGate(url);
    const { port } = new URL(gate.url);
    const behind = await open(1, contractSettings.now, { urls: [gate.url], ...PATIENCE });
    gate.close();
    for (const ask of [() => behind.tasks(list), () => behind.append([anEvent()])]) {
      const refused: Error = await ask().then(
        () => expect.unreachable(),
        (error: Error) => error,
      );
      expect(refused).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(refused.message).toContain('ECONNREFUSED');
      expect(refused.message).not.toContain(port);
    }
    const { ok, detail } = await behind.health();
    expect(ok).toBe(false);
    expect(detail).not.toContain(port);
    await behind.close();
  }, 60_000);

  it.each(['cut', 'half-close'] as const)(
    'an append whose answer is lost with the connection (%s) is acknowledged once it is known to be stored, once',
    async (how) => {
      await untilTaken(store, [anEvent({ taskId: 'lost' })]);
      const gate = await openGate(url);
      const behind = await open(1, contractSettings.now, { urls: [gate.url] });
      gate.lose('-events-', how);
      const event = anEvent({ taskId: 'lost' });
      const outcomes = await behind.append([event]);
      expect(gate.lost()).toBe(1);
      expect(outcomes).toMatchObject([{ outcome: 'STORED' }]);
      const log = await wholeLog(behind);
      expect(log.filter(({ id }) => id === event.id)).toHaveLength(1);
      await behind.close();
      gate.close();
    },
    60_000,
  );

  it('one that is slow is waited for', async () => {
    const gate = await openGate(url);
    const behind = await open(1, contractSettings.now, { urls: [gate.url] });
    gate.delay(400);
    const event = anEvent({ taskId: 'slow' });
    const positions = (await behind.append([event])).map(positionOf);
    await behind.viewsReach(positions);
    expect(await behind.tasksById(['slow'])).toMatchObject([{ id: 'slow' }]);
    expect((await wholeLog(behind)).map(({ id }) => id)).toEqual([event.id]);
    expect(await behind.health()).toMatchObject({ ok: true });
    await behind.close();
    gate.close();
  }, 60_000);

  it('a full disk is told as such, and writing goes on when there is room [S8]', async () => {
    await untilTaken(store, [anEvent({ taskId: 'full' })]);
    const index = `/${prefix}-events-${day}/_settings`;
    await ask('PUT', index, { 'index.blocks.read_only_allow_delete': true });
    await expect(store.append([anEvent({ taskId: 'full' })])).rejects.toMatchObject({
      code: 'STORE_FULL',
    });
    await ask('PUT', index, { 'index.blocks.read_only_allow_delete': null });
    await untilTaken(store, [anEvent({ taskId: 'full' })]);
    expect(await wholeLog(store)).toHaveLength(2);
  }, 60_000);

  it('an index without writes refuses at once, and readiness names it', async () => {
    await untilTaken(store, [anEvent({ taskId: 'block' })]);
    await ask('PUT', `/${prefix}-meta/_settings`, { 'index.blocks.write': true });
    await refusedAtOnce(anEvent({ taskId: 'other' }));
    expect(await store.health()).toMatchObject({
      ok: false,
      detail: expect.stringContaining('meta'),
    });
    await ask('PUT', `/${prefix}-meta/_settings`, { 'index.blocks.write': null });
    await untilTaken(store, [anEvent({ taskId: 'other' })]);
  }, 60_000);

  it('a closed index refuses at once, readiness names it, and its cursors are followed again when it is opened', async () => {
    await untilTaken(store, [anEvent({ taskId: 'closed' })]);
    const [cursor] = await store.heads(null);
    await ask('POST', `/${prefix}-events-${day}/_close`);
    await refusedAtOnce(anEvent({ taskId: 'closed' }));
    expect(await store.health()).toMatchObject({
      ok: false,
      detail: expect.stringContaining(`${prefix}-events-${day} takes no writes: it is closed`),
    });
    expect(await store.checkCursors([cursor as NonNullable<typeof cursor>])).toEqual([
      { state: 'live' },
    ]);
    await ask('POST', `/${prefix}-events-${day}/_open?wait_for_active_shards=1`);
    await untilTaken(store, [anEvent({ taskId: 'closed' })]);
    expect(await wholeLog(store)).toHaveLength(2);
  }, 60_000);

  it('what one day cannot take keeps nothing of another day from being stored [A2 A3 A12]', async () => {
    await untilTaken(store, [anEvent({ taskId: 'old' })]);
    await store.close();
    store = await open(1, () => contractSettings.now() + DAY_MS);
    await untilTaken(store, [anEvent({ taskId: 'new' })]);
    await ask('POST', `/${prefix}-events-${day}/_close`);
    const mixed = ['new', 'old', 'new'].map((taskId) => anEvent({ taskId }));
    for (let again = 0; again < 3; again++) {
      const outcomes = await store.append(mixed);
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(
        again === 0 ? ['STORED', 'UNSETTLED', 'STORED'] : ['DUPLICATE', 'UNSETTLED', 'DUPLICATE'],
      );
      expect(outcomes[1]).toMatchObject({
        error: { code: 'STORE_UNAVAILABLE', retryAfterMs: 5_000 },
      });
    }
    await ask('POST', `/${prefix}-events-${day}/_open?wait_for_active_shards=1`);
    await vi.waitFor(
      async () => {
        const outcomes = await store.append(mixed);
        expect(outcomes.map(({ outcome }) => outcome)).not.toContain('UNSETTLED');
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(await wholeLog(store)).toHaveLength(5);
  }, 60_000);

  it('one document that cannot be taken harms none beside it', async () => {
    const long = anEvent({ taskId: 'poison', host: 'x'.repeat(40_000) });
    const outcomes = await store.append([
      anEvent({ taskId: 'poison' }),
      long,
      anEvent({ taskId: 'poison' }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['STORED', 'REJECTED', 'STORED']);
  }, 60_000);

  it('a day deleted by hand stays deleted, and its tasks take no more events', async () => {
    await untilTaken(store, [anEvent({ taskId: 'gone' })]);
    const [cursor] = await store.heads(null);
    await ask('DELETE', `/${prefix}-events-${day}`);
    expect((await store.append([anEvent({ taskId: 'gone' })]))[0]).toMatchObject({
      outcome: 'REJECTED',
      problem: { code: 'TASK_EXPIRED' },
    });
    expect(await ask('GET', `/${prefix}-events-${day}`)).toMatchObject({ status: 404 });
    expect(await store.checkCursors([cursor as NonNullable<typeof cursor>])).toEqual([
      { state: 'unknown' },
    ]);
  }, 60_000);

  it('a task that begins after its day was deleted by hand is not taken for an expired one', async () => {
    await untilTaken(store, [anEvent({ taskId: 'before' })]);
    await ask('DELETE', `/${prefix}-events-${day}`);
    const outcomes = await store.append([
      anEvent({ taskId: 'before' }),
      anEvent({ taskId: 'begins' }),
    ]);
    expect(outcomes).toMatchObject([
      { outcome: 'REJECTED', problem: { code: 'TASK_EXPIRED' } },
      { outcome: 'STORED', position: { shard: `${day}/0`, seq: 1 } },
    ]);
    await store.viewsReach(outcomes.slice(1).map(positionOf));
    expect(await store.tasksById(['begins'])).toMatchObject([{ id: 'begins' }]);
  }, 60_000);

  it('views that were deleted by hand, index and all, are folded anew by themselves', async () => {
    await store.close();
    store = await open(3);
    const tasks = Array.from({ length: 9 }, (_, i) => `task-${i}`);
    const first = await store.append(tasks.map((taskId) => anEvent({ taskId })));
    await store.viewsReach(first.map(positionOf));
    await ask('DELETE', `/${prefix}-views-${day}`);
    expect(await store.tasks(list)).toMatchObject({ rows: [] });
    const [next] = await store.append([anEvent({ taskId: 'task-0' })]);
    await store.viewsReach([positionOf(next as NonNullable<typeof next>)]);
    await vi.waitFor(async () => {
      await store.viewsReach(first.map(positionOf));
      const { rows } = await store.tasks(list);
      expect(rows.map(({ node: task }) => task.id).toSorted()).toEqual(tasks);
    }, 20_000);
  }, 60_000);

  it('rebuilding finishes though the index of the views was deleted', async () => {
    const outcomes = await store.append([anEvent({ taskId: 'rebuilt' })]);
    await store.viewsReach(outcomes.map(positionOf));
    await ask('DELETE', `/${prefix}-views-${day}`);
    await store.rebuild(() => undefined);
    await store.viewsReach(outcomes.map(positionOf));
    expect(await store.tasks(list)).toMatchObject({ rows: [{ node: { id: 'rebuilt' } }] });
  }, 60_000);

  it('a restored snapshot is another history: old cursors are refused', async () => {
    await untilTaken(store, [anEvent({ taskId: 'restored' })]);
    const index = `${prefix}-events-${day}`;
    await ask('PUT', `/_snapshot/${prefix}`, { type: 'fs', settings: { location: prefix } });
    await ask('PUT', `/_snapshot/${prefix}/one?wait_for_completion=true`, { indices: index });
    const lost = [anEvent({ taskId: 'restored' }), anEvent({ taskId: 'restored', host: 'lost' })];
    const outcomes = await store.append(lost);
    await store.viewsReach(outcomes.map(positionOf));
    const run = { taskId: 'restored', host: 'lost' };
    expect(await store.runsByKey([run])).not.toEqual([null]);
    const [cursor] = await store.heads(null);
    expect(cursor?.seq).toBe(3);
    await ask('POST', `/${index}/_close`);
    await ask('POST', `/_snapshot/${prefix}/one/_restore?wait_for_completion=true`, {
      indices: index,
    });
    await vi.waitFor(async () => {
      const [state] = await store.checkCursors([cursor as NonNullable<typeof cursor>]);
      expect(state).toEqual({ state: 'unknown' });
    });
    // The views follow the log back.
    await vi.waitFor(async () => expect(await store.runsByKey([run])).toEqual([null]), 20_000);
    await untilTaken(store, [anEvent({ taskId: 'restored' })]);
    const log = await wholeLog(store);
    expect(log).toHaveLength(2);
    await store.viewsReach(log.map(({ position }) => position));
    expect(await store.tasksById(['restored'])).toEqual(foldLog(log).tasks);
    await ask('DELETE', `/_snapshot/${prefix}`);
  }, 60_000);

  it('a template that is not ours, or newer than ours, refuses to start', async () => {
    const put = (_meta: object) =>
      ask('PUT', `/_index_template/${prefix}-views`, {
        index_patterns: [`${prefix}-views-*`],
        _meta,
      });
    await put({ product: 'another' });
    await expect(open()).rejects.toThrow(/not Shiplog's/);
    await put({ product: 'shiplog', version: 999 });
    await expect(open()).rejects.toThrow(/newer Shiplog/);
  }, 60_000);

  it('a server that is not there is told with its address unreachable', async () => {
    const config = { urls: ['http://127.0.0.1:9'], shards: 1, replicas: 0 };
    await expect(
      openElasticsearchStore({ config, settings: contractSettings }),
    ).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

/** Views and appends under more events than can be folded at once. */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogEvent, Position } from '../../src/domain/event/event.ts';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { untilTaken } from './cluster-load.ts';
import { aFleet, anEvent } from './events.ts';
import { contractSettings, positionOf, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

const BATCH = 500;
/** A flood is fewer events than by default, so that it is one on every machine. */
const LAG_MAX = 3_000;

describe('A flood of events on Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const { url } = elasticsearch;
  let store: ElasticsearchStore;
  let gate: Gate;

  let prefix = '';

  const open = (node: string) =>
    openElasticsearchStore({
      // Whoever keeps the views goes on doing so while they are held.
      config: { urls: [node], shards: 1, replicas: 0, prefix, leaseMs: 60_000, lagMax: LAG_MAX },
      settings: { ...contractSettings, maxEventsPerTask: 1_000_000 },
    });

  beforeEach(async () => {
    prefix = elasticsearch.prefix();
    gate = await openGate(url);
    store = await open(gate.url);
  });
  afterEach(async () => {
    gate.release();
    await store.close();
    gate.close();
  });
  afterAll(() => elasticsearch.cleanUp());

  const lag = () => store.metrics().views_lag_events as number;
  const paced = () => store.metrics().appends_paced_total as number;

  async function append(events: readonly LogEvent[]): Promise<Position[]> {
    return (await store.append(events)).map(positionOf);
  }
  const someLines = () =>
    Array.from({ length: BATCH }, (_, i) => anEvent({ taskId: 'flood', host: `web-${i % 20}` }));

  /** Until one more append would have to wait; nothing may have waited before. */
  async function fillToTheBrim(): Promise<void> {
    while (lag() <= LAG_MAX) await append(someLines());
  }

  it('is acknowledged no faster than its views can follow', async () => {
    await store.viewsReach(await append(someLines()));
    gate.hold('-views-');
    await fillToTheBrim();
    expect(paced()).toBe(0);
    let acknowledged = false;
    const late = append(someLines()).finally(() => {
      acknowledged = true;
    });
    await expect.poll(paced).toBe(1);
    expect(acknowledged).toBe(false);
    gate.release();
    const positions = await late;
    await store.viewsReach(positions);
    expect(lag()).toBe(0);
    const { tasks, runs } = foldLog(await wholeLog(store));
    expect(await store.tasksById(['flood'])).toEqual(tasks);
    expect(await store.runsByKey(runs)).toEqual(runs);
  });

  it('is acknowledged all the same while its views stand still', async () => {
    await store.viewsReach(await append(someLines()));
    gate.hold('-views-');
    await fillToTheBrim();
    const positions = await append(someLines());
    expect(paced()).toBe(1);
    gate.release();
    await store.viewsReach(positions);
  });

  it('through another server waits for the one that keeps the views', async () => {
    await store.viewsReach(await append(someLines()));
    const other = await open(url);
    gate.hold('-views-');
    await vi.waitFor(
      async () => {
        await other.append(someLines());
        expect(other.metrics().appends_paced_total).toBeGreaterThan(0);
      },
      { timeout: 20_000, interval: 1 },
    );
    expect(other.metrics().views_lag_events).toBe(0);
    gate.release();
    const positions = (await other.append(someLines())).map(positionOf);
    await other.viewsReach(positions);
    const { tasks } = foldLog(await wholeLog(other));
    expect(await other.tasksById(['flood'])).toEqual(tasks);
    await other.close();
  });

  it('of old events, such as views that are folded anew, slows nothing down', async () => {
    for (let at = 0; at <= LAG_MAX; at += BATCH) await append(someLines());
    await store.viewsReach(await append(someLines()));
    const before = paced();
    gate.hold('-views-');
    const rebuilt = store.rebuild(() => undefined);
    await expect.poll(lag).toBeGreaterThan(LAG_MAX);
    await append([anEvent({ taskId: 'flood' })]);
    expect(paced()).toBe(before);
    gate.release();
    await rebuilt;
  });

  it('of whole fleets leaves views that equal a fold of the log', async () => {
    const events = Array.from({ length: 12 }, (_, seed) => aFleet({ seed })).flat();
    const running: Promise<void>[] = [];
    // As senders do: what a cluster that is slow did not take in time comes again.
    for (let at = 0; at < events.length; at += BATCH) {
      running.push(untilTaken(store, events.slice(at, at + BATCH)));
    }
    await Promise.all(running);
    await store.viewsReach(await store.heads(null));
    const { tasks, runs } = foldLog(await wholeLog(store));
    expect(await store.tasksById(tasks.map(({ id }) => id))).toEqual(tasks);
    expect(await store.runsByKey(runs)).toEqual(runs);
  });
});

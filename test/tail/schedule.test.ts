/**
 * Whoever begins, resumes or reconnects, at whatever moment, ends with the truth: what a fold of
 * everything acknowledged gives, without waiting for a next event.
 *
 * Random schedules of releases: clients of all four kinds of subscription begin and come back
 * before an append, between the moment in which it is durable and its publication, and behind its
 * acknowledgement, while views are not there yet; the store is difficult in every way that its
 * port allows. Rings and channels are so small that they are run over all the time.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ShiplogError } from '../../src/domain/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { randomOf } from '../store/events.ts';
import { wholeLog } from '../store/harness.ts';
import { foldLog } from '../store/oracle.ts';
import { type DifficultStore, difficultStore } from '../support/difficult-store.ts';
import { describeOnEngines } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';
import {
  BoardFollower,
  EventsFollower,
  type Follower,
  type Release,
  TaskFollower,
  TasksFollower,
  type Truth,
} from './follower-model.ts';

const SEED = Number(process.env.SHIPLOG_TEST_SEED ?? 1);
const STEPS = ['unpack', 'start'];
const HOSTS = ['web-1', 'web-2'];
const FOLLOWERS = 8;
const WRITES = 8;
const END_DEADLINE_MS = 15_000;
const MEMORY = { ringEvents: 12, channelEvents: 10, pruneMs: 20 };
const AT_A_TIME = 8;

/** How many are played on each engine, and how far views are made to lag. */
const PLAYED = {
  sqlite: { schedules: 100, viewsLagMs: 25 },
  // Its own views lag by more.
  elasticsearch: { schedules: 16, viewsLagMs: 0 },
};

describeOnEngines('whoever follows', (engine) => {
  let real: Store;
  let difficult: DifficultStore;
  let shiplog: Shiplog;
  const stored = new Map<string, () => void>();

  beforeAll(async () => {
    real = await engine.open();
    difficult = difficultStore(real, randomOf(SEED));
    shiplog = await startShiplog(difficult.store, { heartbeatMs: 50, memory: MEMORY });
    const { difficulty } = difficult;
    difficulty.chances = { shortRead: 0.2, headAway: 0.1, unavailable: 0.1 };
    difficulty.viewsLagMs = PLAYED[engine.name].viewsLagMs;
    difficulty.onStored = (events) => {
      for (const id of new Set(events.map(({ taskId }) => taskId))) stored.get(id)?.();
    };
  });
  afterAll(() => shiplog.close());

  /** Answers what was wrong in the end; null: nothing. */
  async function play(seed: number): Promise<string | null> {
    const random = randomOf(seed);
    const chance = (of: number) => random() < of;
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const name = `${engine.name}-${SEED}-${seed}`;
    const taskIds = [`${name}-a`, `${name}-b`];
    const before = await real.heads(null);
    const release: Release = { tail: shiplog.tail, store: shiplog.store, taskIds, before };
    const followers: Follower[] = [];
    const leaving: Promise<void>[] = [];
    const written = new Set<string>();

    function join(): void {
      const makers = [
        () => new EventsFollower(release, { taskId: pick(taskIds) }, chance(0.5)),
        () => {
          const labels = [{ key: 'release', value: name }];
          return new EventsFollower(release, { labels }, chance(0.5));
        },
        () => new TaskFollower(release, pick(taskIds)),
        () => new TasksFollower(release, chance(0.5)),
        () => new BoardFollower(release, pick(taskIds), chance(0.5)),
      ];
      const follower = pick(makers)();
      followers.push(follower);
      follower.connect();
    }

    /** Somebody begins, or somebody's connection is lost, for now or for a while. */
    function happen(): void {
      if (followers.length < FOLLOWERS && chance(0.7)) join();
      else if (followers.length > 0) {
        const follower = pick(followers);
        const back = chance(0.6);
        leaving.push(follower.leave().then(() => (back ? follower.connect() : undefined)));
      }
    }

    async function write(taskId: string, last: boolean): Promise<void> {
      const { ingest } = shiplog;
      const isThere = written.has(taskId);
      if (last && isThere && chance(0.5)) {
        await ingest.finishTask({ id: taskId, status: 'SUCCEEDED' });
      } else if (chance(0.2)) {
        await ingest.startTask({ id: taskId, plan: STEPS, hosts: HOSTS, title: `${random()}` });
      } else {
        const status = pick(['RUNNING', 'SUCCEEDED', 'FAILED', undefined]);
        const labels = { release: name };
        const place = { taskId, host: pick(HOSTS), step: pick(STEPS), labels };
        const events = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, i) => ({
          ...place,
          ...(i === 0 && status !== undefined ? { status } : { message: `line ${i}` }),
        }));
        await ingest.logSteps(events);
      }
      written.add(taskId);
    }

    for (let i = 0; i < WRITES; i++) {
      const taskId = pick(taskIds);
      if (chance(0.4)) happen();
      if (chance(0.4)) stored.set(taskId, happen);
      // One that is refused for the store's sake is sent again, by its sender.
      await withPatience(() => write(taskId, i === WRITES - 1));
      stored.delete(taskId);
      // Between the acknowledgement and the views.
      if (chance(0.4)) happen();
      if (chance(0.3)) await pause(Math.floor(random() * 30));
    }
    while (followers.length < FOLLOWERS / 2) join();
    await Promise.all(leaving);
    for (const follower of followers) follower.connect();
    let truth = await truthOf(release);
    const wrong = () => followers.map((one) => one.wrong(truth)).find((told) => told !== null);
    const deadline = performance.now() + END_DEADLINE_MS;
    while (wrong() !== undefined && performance.now() < deadline) {
      await pause(20);
      // The log may be told up to an event of others that is not decided yet; a task already has what is behind it.
      truth = await truthOf(release);
    }
    const verdict = wrong();
    await Promise.all(followers.map((follower) => follower.leave()));
    return verdict === undefined ? null : `schedule ${seed}: ${verdict}`;
  }

  /** Of the schedules before it there is more in the log than of this one. */
  async function truthOf({ taskIds, before }: Release): Promise<Truth> {
    const log = await wholeLog(real, before);
    const events = log.filter(({ taskId }) => taskIds.includes(taskId));
    return { events, ...foldLog(events) };
  }

  it('ends with what a fold of everything acknowledged gives, without a further event', async () => {
    const { schedules } = PLAYED[engine.name];
    const began = performance.now();
    const wrong: string[] = [];
    let next = 0;
    let played = 0;
    const lane = async () => {
      while (next < schedules && wrong.length === 0) {
        const verdict = await play(SEED * 10_000 + next++);
        played++;
        if (verdict !== null) wrong.push(verdict);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const met = JSON.stringify(difficult.difficulty.met);
    console.info(`${engine.name}: ${played} schedules in ${seconds} s; met ${met}`);
    expect(wrong).toEqual([]);
    expect(played).toBe(schedules);
    for (const [what, count] of Object.entries(difficult.difficulty.met)) {
      if (what !== 'lateViews' || engine.name === 'sqlite') expect(count, what).toBeGreaterThan(0);
    }
    expect(shiplog.tail.metrics()).toMatchObject({ tail_subscriptions: 0, tail_channels: 0 });
  }, 120_000);
});

/** Again, as a sender does, where the store could not take it. */
async function withPatience<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ShiplogError && error.code === 'STORE_UNAVAILABLE')) throw error;
      await pause(error.retryAfterMs ?? 5);
    }
  }
}

/** A live board ends with the truth whatever its store does, and costs once for all who look. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { randomOf } from '../store/events.ts';
import { type DifficultStore, difficultStore } from '../support/difficult-store.ts';
import { quietLog, testSettings } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';
import { Screen, truthOf } from './screen.ts';

const STEPS = ['unpack', 'start'];
/** Nothing is kept in memory, so that all of it is read from the store. */
const FORGETFUL = { ringEvents: 1, channelEvents: 1 };

describe('a live board', () => {
  const random = randomOf(7);
  let dataDir: string;
  let real: Store;
  let difficult: DifficultStore;
  let shiplog: Shiplog;
  let tasks = 0;

  const begin = async (hosts: string[]): Promise<string> => {
    const id = `board-${++tasks}`;
    await shiplog.ingest.startTask({ id, plan: STEPS, hosts });
    return id;
  };
  const report = (taskId: string, host: string, step: string, status: string) =>
    shiplog.ingest.logSteps([{ taskId, host, step, status }]);
  const look = (taskId: string, from: Screen | null = null, tail = shiplog.tail): Screen =>
    new Screen(tail.runsChanged({ taskId, after: from?.cursor ?? null }), from);

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shiplog-board-'));
    real = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
    difficult = difficultStore(real, random);
    shiplog = await startShiplog(difficult.store, { heartbeatMs: 40, memory: FORGETFUL });
  });
  afterEach(() => difficult.difficulty.end());
  afterAll(async () => {
    difficult.difficulty.end();
    await shiplog.close();
    await real.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('that cannot be read to its end waits for the rest, and then tells all of it', async () => {
    const { difficulty } = difficult;
    const taskId = await begin(['a', 'b']);
    difficulty.viewsLagMs = Infinity;
    await report(taskId, 'a', 'unpack', 'FAILED');
    await report(taskId, 'other', 'unpack', 'RUNNING');
    for (const { shard } of await real.heads(taskId)) difficulty.stuck.add(shard);
    const screen = look(taskId);
    let isTold = false;
    const first = screen.next().then(() => {
      isTold = true;
    });
    await pause(60);
    // Published while what came before it cannot be read.
    await report(taskId, 'b', 'unpack', 'SUCCEEDED');
    expect(isTold).toBe(false);
    difficulty.stuck.clear();
    await first;
    await screen.until(await truthOf(real, taskId));
    difficulty.end();
    await screen.leave();
  });

  it('of a task of which something stored is damaged is folded from the log', async () => {
    const taskId = await begin(['a', 'b']);
    await report(taskId, 'a', 'unpack', 'SUCCEEDED');
    await report(taskId, 'b', 'unpack', 'FAILED');
    await real.viewsReach((await real.heads(taskId)).map(({ shard, seq }) => ({ shard, seq })));
    const truth = await truthOf(real, taskId);
    const file = new DatabaseSync(join(dataDir, 'shiplog.db'));
    const statement = `UPDATE runs SET state = '{' WHERE host = 'b'
      AND task = (SELECT key FROM tasks WHERE id = ?)`;
    expect(file.prepare(statement).run(taskId).changes).toBe(1);
    file.close();
    const screen = look(taskId);
    await screen.until(truth);
    await report(taskId, 'b', 'start', 'SUCCEEDED');
    await screen.until(await truthOf(real, taskId));
    await screen.leave();
  });

  it('of a task that no view shows yet has what was acknowledged, without a next event', async () => {
    difficult.difficulty.viewsLagMs = Infinity;
    const taskId = `board-${++tasks}`;
    await report(taskId, 'a', 'unpack', 'RUNNING');
    const screen = look(taskId);
    await screen.until(await truthOf(real, taskId));
    difficult.difficulty.end();
    await screen.leave();
  });

  it('begun and resumed at any moment, against a difficult store, ends with the truth', async () => {
    const { difficulty } = difficult;
    const ids = await Promise.all(Array.from({ length: 8 }, () => begin(['a', 'b', 'c'])));
    difficulty.chances = { shortRead: 0.7, headAway: 0, unavailable: 0.2 };
    difficulty.viewsLagMs = 80;
    const screens: { taskId: string; screen: Screen }[] = [];
    const follow = async (taskId: string): Promise<void> => {
      const first = look(taskId);
      await first.next();
      await pause(upTo(40));
      await first.leave();
      await pause(upTo(40));
      screens.push({ taskId, screen: look(taskId, first) });
    };
    const readers: Promise<void>[] = [];
    for (let i = 0; i < 120; i++) {
      const taskId = ids[i % ids.length] as string;
      if (i % 5 === 0) readers.push(follow(taskId));
      const host = `h${upTo(5)}`;
      await report(taskId, host, STEPS[upTo(1)] as string, upTo(1) ? 'RUNNING' : 'SUCCEEDED');
      await pause(upTo(5));
    }
    await Promise.all(readers);
    for (const { taskId, screen } of screens) await screen.until(await truthOf(real, taskId));
    expect(screens).toHaveLength(24);
    expect(difficulty.met.shortRead).toBeGreaterThan(0);
    expect(difficulty.met.unavailable).toBeGreaterThan(0);
    for (const { screen } of screens) await screen.leave();
  });

  it('whose store is away is waited for: who resumed hears beats, who begins gets the board', async () => {
    const { difficulty } = difficult;
    const taskId = await begin(['a']);
    const before = look(taskId);
    await before.next();
    await before.leave();
    await report(taskId, 'a', 'unpack', 'RUNNING');
    difficulty.away = true;
    const [resumed, begun] = [look(taskId, before), look(taskId)];
    const first = begun.next();
    for (let beats = 0; beats < 3; beats++) {
      const nothing = { snapshot: null, changed: [], cursor: before.cursor, caughtUp: false };
      expect(await resumed.next()).toEqual(nothing);
    }
    difficulty.away = false;
    expect((await first).snapshot?.cells).toBe('RP');
    await resumed.until(await truthOf(real, taskId));
    await Promise.all([resumed.leave(), begun.leave()]);
  });

  it('whose shard is not among the heads for a while is waited for', async () => {
    const { difficulty } = difficult;
    const taskId = await begin(['a']);
    for (const { shard } of await real.heads(taskId)) difficulty.headsAway.add(shard);
    const screen = look(taskId);
    const first = screen.next();
    await pause(20);
    difficulty.end();
    expect((await first).snapshot?.cells).toBe('PP');
    await report(taskId, 'a', 'unpack', 'RUNNING');
    await screen.until(await truthOf(real, taskId));
    await screen.leave();
  });

  it('whose shard was lost sight of has all of it once it is followed again', async () => {
    const { difficulty } = difficult;
    // How soon it is looked for goes with this.
    const other = await startShiplog(difficult.store, { heartbeatMs: 40, staleAfterMs: 2_500 });
    const taskId = await begin(['a', 'b']);
    const screen = look(taskId, null, other.tail);
    await screen.next();
    for (const { shard } of await real.heads(taskId)) difficulty.headsAway.add(shard);
    const beginTail = async () => {
      const tail = other.tail.events({ filter: {}, after: null, last: null });
      await tail.next();
      await tail.return?.();
    };
    // Whoever follows everything makes the follower look which shards there are.
    await beginTail();
    await other.ingest.logSteps([{ taskId, host: 'b', step: 'unpack', status: 'FAILED' }]);
    difficulty.end();
    await beginTail();
    await screen.until(await truthOf(real, taskId));
    await screen.leave();
    await other.close();
  });

  it('is told in parts where much changed, and a part can be resumed', async () => {
    const hosts = Array.from({ length: 1_200 }, (_, i) => `host-${i}`);
    const taskId = await begin(hosts);
    const screen = look(taskId);
    await screen.next();
    const ends = hosts.map((host) => ({ taskId, host, step: 'unpack', status: 'FAILED' }));
    await shiplog.ingest.logSteps(ends.slice(0, 1_000));
    await shiplog.ingest.logSteps(ends.slice(1_000));
    while ((await screen.next()).changed.length === 0);
    expect(screen.batches.at(-1)).toMatchObject({ caughtUp: false });
    await screen.leave();
    const resumed = look(taskId, screen);
    const truth = await truthOf(real, taskId);
    expect(truth['host-7']).toEqual({ unpack: 'F', start: 'N' });
    await resumed.until(truth);
    const parts = resumed.batches.filter(({ changed }) => changed.length > 0);
    expect(parts.map(({ changed }) => changed.length)).toEqual([500, 500, 200]);
    expect(parts.map(({ caughtUp }) => caughtUp)).toEqual([false, false, true]);
    await resumed.leave();
  });

  it('is told whole again when hosts leave the plan', async () => {
    const taskId = await begin(['a', 'gone']);
    const screen = look(taskId);
    await screen.next();
    await shiplog.ingest.startTask({ id: taskId, plan: STEPS, hosts: ['a', 'b'] });
    await screen.until({ a: { unpack: 'P', start: 'P' }, b: { unpack: 'P', start: 'P' } });
    expect(screen.batches.at(-1)?.snapshot?.hosts).toEqual(['a', 'b']);
    await screen.leave();
  });

  it('is one object for all who stand at the same place: snapshot, changes, beats, what was missed', async () => {
    const taskId = await begin(['a', 'b']);
    const screens = [look(taskId), look(taskId)] as const;
    const together = async ([one, other]: readonly [Screen, Screen]) => {
      const [a, b] = await Promise.all([one.next(), other.next()]);
      expect(a).toBe(b);
      return a;
    };
    expect((await together(screens)).snapshot).not.toBeNull();
    await report(taskId, 'a', 'unpack', 'RUNNING');
    while ((await together(screens)).changed.length === 0);
    expect(await together(screens)).toMatchObject({ changed: [], caughtUp: true });
    await Promise.all(screens.map((screen) => screen.leave()));
    await report(taskId, 'b', 'unpack', 'RUNNING');
    const resumed = [look(taskId, screens[0]), look(taskId, screens[1])] as const;
    const missed = await together(resumed);
    expect(missed.changed.map(({ host }) => host)).toEqual(['b']);
    await Promise.all(resumed.map((screen) => screen.leave()));
  });

  it('is refused where all that are followed would hold too much, however many open at once', async () => {
    const small = await startShiplog(difficult.store, {
      heartbeatMs: 40,
      memory: { boardBytes: 20_000 },
    });
    const hosts = Array.from({ length: 20 }, (_, i) => `host-${i}`);
    const ids = await Promise.all(Array.from({ length: 6 }, () => begin(hosts)));
    const screens = ids.map((id) => look(id, null, small.tail));
    const opened = await Promise.allSettled(screens.map((screen) => screen.next()));
    const refused = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(6);
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'OVERLOADED', retryAfterMs: expect.any(Number) });
    }
    expect(small.tail.metrics().tail_board_bytes).toBeLessThanOrEqual(20_000);
    await Promise.all(screens.map((screen) => screen.leave()));
    expect(small.tail.metrics()).toMatchObject({ tail_boards: 0, tail_board_bytes: 0 });
    const again = look(ids[0] as string, null, small.tail);
    expect((await again.next()).snapshot?.hosts).toHaveLength(20);
    await again.leave();
    await small.close();
  });

  it('that grows beyond what all may hold ends for its readers, and gives its room back', async () => {
    const small = await startShiplog(difficult.store, {
      heartbeatMs: 40,
      memory: { boardBytes: 20_000 },
    });
    const taskId = await begin(['a']);
    const screen = look(taskId, null, small.tail);
    await screen.next();
    const inputs = Array.from({ length: 100 }, (_, i) => ({
      taskId,
      host: `h${i}`,
      step: 'unpack',
      status: 'RUNNING',
    }));
    await small.ingest.logSteps(inputs);
    const ended = (async () => {
      for (;;) await screen.next();
    })();
    await expect(ended).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect(small.tail.metrics()).toMatchObject({ tail_boards: 0, tail_board_bytes: 0 });
    await small.close();
  });

  it('shows all runs but one that cannot be derived, which the log names', async () => {
    const lines: string[] = [];
    const log = createLog('error', { write: (line) => void lines.push(line) });
    const taskId = await begin(['a', 'b']);
    await report(taskId, 'b', 'unpack', 'RUNNING');
    const broken = new Proxy(difficult.store, {
      get(target, name) {
        if (name !== 'board') return Reflect.get(target, name, target) as unknown;
        return async (id: string) => {
          const snapshot = await target.board(id);
          for (const run of snapshot?.runs ?? []) Object.assign(run, { steps: [['unpack', {}]] });
          return snapshot;
        };
      },
    });
    await real.viewsReach((await real.heads(taskId)).map(({ shard, seq }) => ({ shard, seq })));
    const other = await startShiplog(broken, { heartbeatMs: 40 }, log);
    const screen = look(taskId, null, other.tail);
    expect((await screen.next()).snapshot).toMatchObject({ hosts: ['a'], cells: 'PP' });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ taskId, host: 'b' }]);
    await other.ingest.logSteps([
      { taskId, host: 'b', step: 'unpack', status: 'SUCCEEDED' },
      { taskId, host: 'a', step: 'unpack', status: 'RUNNING' },
    ]);
    await screen.until({ a: { unpack: 'R', start: 'P' } });
    await screen.leave();
    await other.close();
  });

  it('is told anew when the log was restored from a backup, and an older cursor has expired', async () => {
    const taskId = await begin(['a', 'b']);
    await report(taskId, 'a', 'unpack', 'SUCCEEDED');
    const restoredDir = join(dataDir, 'restored');
    await mkdir(restoredDir);
    await real.viewsReach((await real.heads(taskId)).map(({ shard, seq }) => ({ shard, seq })));
    await real.backup(join(restoredDir, 'shiplog.db'));
    let store = real;
    const restorable = new Proxy(real, {
      get(_, name) {
        const value = Reflect.get(store, name, store) as unknown;
        return typeof value === 'function' ? value.bind(store) : value;
      },
    });
    const other = await startShiplog(restorable, { heartbeatMs: 40 });
    const screen = look(taskId, null, other.tail);
    await screen.next();
    await other.ingest.logSteps([{ taskId, host: 'b', step: 'unpack', status: 'FAILED' }]);
    await screen.until(await truthOf(real, taskId));
    const cursorBefore = screen.batches.at(-1)?.cursor ?? '';
    const restored = await openSqliteStore({
      dataDir: restoredDir,
      settings: testSettings,
      log: quietLog,
    });
    store = restored;
    // Whoever comes next makes the follower look where the log stands.
    const next = look('another', null, other.tail);
    await next.next();
    await screen.until({
      a: { unpack: 'S', start: 'P' },
      b: { unpack: 'P', start: 'P' },
    });
    expect(screen.batches.at(-1)?.snapshot).not.toBeNull();
    await other.ingest.logSteps([{ taskId, host: 'a', step: 'start', status: 'RUNNING' }]);
    await screen.until(await truthOf(restored, taskId));
    const late = new Screen(other.tail.runsChanged({ taskId, after: cursorBefore }));
    await expect(late.next()).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    await Promise.all([screen.leave(), next.leave()]);
    await other.close();
    await restored.close();
  });

  function upTo(most: number): number {
    return Math.floor(random() * (most + 1));
  }
});

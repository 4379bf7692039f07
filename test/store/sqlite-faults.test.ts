import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSqliteVersion } from '../../src/store/sqlite/file/lock.ts';
import { openSqliteStore, type SqliteOptions } from '../../src/store/sqlite/store.ts';
import { ReaderPool } from '../../src/store/sqlite/threads/reader-pool.ts';
import type { ShardCursor, Store } from '../../src/store/store.ts';
import { aFleet, anEvent } from './events.ts';
import { aPage, contractSettings, fill, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

let dataDir: string;
let stores: Store[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'shiplog-faults-'));
  stores = [];
});
afterEach(async () => {
  for (const store of stores) await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function open(options: Partial<SqliteOptions> = {}): Promise<Store> {
  const store = await openSqliteStore({ dataDir, settings: contractSettings, ...options });
  stores.push(store);
  return store;
}

describe('The SQLite engine refuses to open', () => {
  it('a data directory that another server uses, and says so', async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/Another Shiplog server .*SHIPLOG_DATA_DIR/),
    });
    await first.close();
    expect(await (await open()).eventCount()).toBe(0);
  });

  it('a data directory that cannot be made or written', async () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    await expect(open({ dataDir: join(file, 'below') })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      field: 'dataDir',
      message: expect.stringMatching(/^SHIPLOG_DATA_DIR: .* cannot be written/),
    });
  });

  it('a database that a newer version wrote, each time it is tried', async () => {
    await (await open()).close();
    const database = new DatabaseSync(join(dataDir, 'shiplog.db'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    const refused = {
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('newer Shiplog (schema 99'),
    };
    await expect(open()).rejects.toMatchObject(refused);
    await expect(open()).rejects.toMatchObject(refused);
  });

  it('a file that is no database', async () => {
    writeFileSync(
      join(dataDir, 'shiplog.db'),
      'certainly not a database, but long enough '.repeat(50),
    );
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('not a database'),
    });
  });

  it('with an SQLite that can lose commits', () => {
    for (const version of ['3.50.4', '3.51.2', '2.0.0']) {
      expect(() => checkSqliteVersion(version)).toThrow(/3\.51\.3 or newer/);
    }
    for (const version of ['3.51.3', '3.53.4', '4.0.0']) checkSqliteVersion(version);
  });
});

describe('The SQLite engine', () => {
  it('killed while appending has every acknowledged event once, and views that fit them [A1 S2]', async () => {
    const acked = new Set<string>();
    for (let round = 0; round < 3; round++) {
      for (const id of await appendUntilKilled(round, 15 + round * 20)) acked.add(id);
    }
    expect(acked.size).toBeGreaterThan(500);
    const store = await open();
    const log = await wholeLog(store);
    const ids = log.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...acked].filter((id) => !ids.includes(id))).toEqual([]);
    const { tasks, runs } = foldLog(log);
    expect(await store.tasksById(tasks.map(({ id }) => id))).toEqual(tasks);
    expect(await store.runsByKey(runs)).toEqual(runs);
    await store.close();
    const database = new DatabaseSync(join(dataDir, 'shiplog.db'));
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  });

  it('on a full disk says so, keeps what it acknowledged readable, and goes on when there is room [S8 A13]', async () => {
    const small = await open({ maxPages: 150 });
    const acked: string[] = [];
    let refused: unknown = null;
    for (let round = 0; refused === null && round < 500; round++) {
      const batch = Array.from({ length: 20 }, () =>
        anEvent({ taskId: `t-${round}`, message: 'x'.repeat(500) }),
      );
      try {
        await small.append(batch);
        acked.push(...batch.map(({ id }) => id));
        // Views are written a moment later; from here on there is a task to be read.
        if (round === 0) await small.viewsReach(await small.heads(null));
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({ code: 'STORE_FULL', retryAfterMs: expect.any(Number) });
    await expect(small.append([anEvent({ message: 'x'.repeat(60_000) })])).rejects.toMatchObject({
      code: 'STORE_FULL',
    });
    expect((await wholeLog(small)).map(({ id }) => id)).toEqual(acked);
    const page = await small.tasks({ filter: {}, order: 'CREATED_ASC', page: aPage() });
    expect(page.rows.length).toBeGreaterThan(0);
    await small.close();
    const roomy = await open();
    await fill(roomy, [anEvent({ taskId: 'later' })]);
    const log = await wholeLog(roomy);
    expect(log.map(({ id }) => id).slice(0, -1)).toEqual(acked);
    const { tasks } = foldLog(log);
    expect(await roomy.tasksById(tasks.map(({ id }) => id))).toEqual(tasks);
  });

  it('acknowledges nothing while its file, or the log beside it, is not where it was [A1 M6]', async () => {
    const store = await open();
    const file = join(dataDir, 'shiplog.db');
    const aside = join(dataDir, 'aside');
    await fill(store, [anEvent({ eventId: 'before' })]);
    const refused = { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('put it back') };
    for (const path of [file, `${file}-wal`]) {
      renameSync(path, aside);
      await expect(store.append([anEvent({ eventId: `without ${path}` })])).rejects.toMatchObject(
        refused,
      );
      expect(await store.health()).toMatchObject({ ok: false, detail: refused.message });
      cpSync(aside, path);
      await expect(
        store.append([anEvent({ eventId: `into a copy ${path}` })]),
      ).rejects.toMatchObject(refused);
      renameSync(aside, path);
      expect(await store.health()).toMatchObject({ ok: true });
    }
    await fill(store, [anEvent({ eventId: 'after' })]);
    await store.close();
    const log = await wholeLog(await open());
    expect(log.map(({ eventId }) => eventId)).toEqual(['before', 'after']);
  });

  it('is backed up while serving, into a new file only; a restored backup refuses cursors from behind it [M8 K3]', async () => {
    const store = await open();
    await fill(
      store,
      Array.from({ length: 50 }, () => anEvent()),
    );
    const file = join(dataDir, 'backup.db');
    await store.backup(file);
    await expect(store.backup(file)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('exists already'),
    });
    await fill(
      store,
      Array.from({ length: 50 }, () => anEvent()),
    );
    const [head] = await store.heads(null);
    const cursor = (seq: number): ShardCursor => ({
      shard: head?.shard ?? '',
      history: head?.history ?? 0,
      seq,
    });
    const cursors = [0, 30, 50, 51, 80, 100].map(cursor);
    const states = async (of: Store) => (await of.checkCursors(cursors)).map(({ state }) => state);
    expect(await states(store)).toEqual(cursors.map(() => 'live'));
    const restored = join(dataDir, 'restored');
    mkdirSync(restored);
    cpSync(file, join(restored, 'shiplog.db'));
    const again = await open({ dataDir: restored });
    const expected = ['live', 'live', 'live', 'unknown', 'unknown', 'unknown'];
    expect(await again.eventCount()).toBe(50);
    expect(await states(again)).toEqual(expected);
    await fill(
      again,
      Array.from({ length: 70 }, () => anEvent()),
    );
    expect(await states(again)).toEqual(expected);
    expect(foldLog(await wholeLog(again)).tasks).toEqual(await again.tasksById(['t-1']));
  });

  it('says so once when it can never write again, and has what it acknowledged [S14]', async () => {
    const small = await open({ writerHeapMb: 24 });
    const taken = new Set<string>();
    const flood = async () => {
      for (let batch = 0; ; batch++) {
        const events = aFleet({ seed: batch, tasks: 20, hosts: 20 });
        await small.append(events);
        for (const { id } of events) taken.add(id);
      }
    };
    const refused = flood().catch((error: unknown) => error);
    expect((await small.failed).message).toMatch(/memory/);
    expect(await refused).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await small.close().catch(() => null);
    stores.splice(stores.indexOf(small), 1);
    const there = new Set((await wholeLog(await open())).map(({ id }) => id));
    expect([...taken].filter((id) => !there.has(id))).toEqual([]);
  });

  it('leaves no half of a backup behind, whatever stops it, and says what is wrong with its place', async () => {
    const store = await open();
    await fill(store, aFleet());
    const file = join(dataDir, 'backup.db');
    // What a crash in the middle of an earlier one leaves.
    writeFileSync(`${file}.partial`, 'half of a database');
    await store.backup(file);
    const copy = new DatabaseSync(file, { readOnly: true });
    expect(copy.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    copy.close();
    await expect(store.backup(join(dataDir, 'nowhere', 'backup.db'))).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/backup cannot be written into .*nowhere/),
    });
    expect(readdirSync(dataDir).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('answers queries again after a thread that read for them has died', async () => {
    await (await open()).close();
    const pool = new ReaderPool(join(dataDir, 'shiplog.db'), 10_000, { epoch: 1, staleAfterMs: 1 });
    await pool.ready;
    for (let death = 0; death < 5; death++) {
      // The thread ends as if it had been out of memory: nobody closed the pool.
      await pool.call('close', []);
      const ask = () => Array.from({ length: 20 }, () => pool.call('eventCount', []));
      // One may have been given to the dying thread; then it is told.
      const told = (await Promise.allSettled(ask())).filter(({ status }) => status === 'rejected');
      expect(told.length).toBeLessThanOrEqual(1);
      expect(new Set(await Promise.all(ask()))).toEqual(new Set(['0']));
    }
    await pool.close();
  });

  it('stops a query at its deadline and answers the next one [S9]', async () => {
    const filled = await open();
    const events = aFleet({ tasks: 30, hosts: 10, lines: 6 });
    await fill(filled, events, 1_000);
    await filled.close();
    const hasty = await open({ settings: { ...contractSettings, queryTimeoutMs: 1 } });
    const filter = { labels: [{ key: 'rack', value: 'none' }] };
    const query = { filter, order: 'TIME' as const, page: aPage() };
    const stopped = { code: 'QUERY_TIMEOUT' };
    // Of every reader, each time.
    for (let round = 0; round < 4; round++) {
      await expect(hasty.events([query, query, query])).rejects.toMatchObject(stopped);
      expect(await hasty.eventCount()).toBe(events.length);
    }
  });

  it('stops what asks for many runs, steps or hosts at its deadline too', async () => {
    const filled = await open();
    await fill(filled, aFleet());
    const [run] =
      (await filled.runs([{ filter: {}, order: 'HOST_ASC', page: aPage() }]))[0]?.rows ?? [];
    await filled.close();
    const hasty = await open({ settings: { ...contractSettings, queryTimeoutMs: 1 } });
    const { taskId, host } = run?.node ?? { taskId: '', host: '' };
    const keys = Array.from({ length: 5_000 }, () => ({ taskId, host, step: 'backup' }));
    const hosts = keys.map((key) => key.host);
    const asked = [
      () => hasty.completeness(keys),
      () => hasty.lastLines(keys, 20),
      () => hasty.reliability(hosts, null, null),
      () => hasty.runsByKey(keys),
      () => hasty.stepsByKey(keys),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' });
    expect(await hasty.eventCount()).toBeGreaterThan(0);
  });

  it('refuses queries beyond its queue at once, and answers those within', async () => {
    const store = await open();
    await fill(store, aFleet({ hosts: 3 }));
    const query = { filter: {}, order: 'TIME' as const, page: aPage({ limit: 100 }) };
    const results = await Promise.allSettled(
      Array.from({ length: 400 }, () => store.events([query])),
    );
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(100);
    for (const result of refused) {
      expect(result).toMatchObject({
        reason: { code: 'OVERLOADED', retryAfterMs: expect.any(Number) },
      });
    }
    expect(results.length - refused.length).toBeGreaterThanOrEqual(256);
  });

  it('answers what it took in when it is closed in the middle of it', async () => {
    const store = await open();
    const batches = Array.from({ length: 5 }, () => [anEvent(), anEvent()]);
    const appends = batches.map((batch) => store.append(batch));
    await store.close();
    const outcomes = (await Promise.all(appends)).flat();
    expect(outcomes.every(({ outcome }) => outcome === 'STORED')).toBe(true);
    expect(await (await open()).eventCount()).toBe(10);
  });
});

/** The ids that the process acknowledged until it was killed after so many batches. */
async function appendUntilKilled(round: number, batches: number): Promise<string[]> {
  const script = new URL('./appender-process.ts', import.meta.url);
  const child = spawn(process.execPath, [script.pathname, dataDir, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acked: string[] = [];
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acked.push(...line.split(' ').filter((id) => id !== ''));
    if (++lines === batches) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return acked;
}

describe('The SQLite engine bounds what one query may ask for', () => {
  const KIB = 1_024;

  it('takes filters of a thousand names, beginnings of names or labels', async () => {
    const store = await open();
    const labels = { env: 'prod' };
    await store.append([anEvent({ eventId: 'only', host: 'web-7', message: 'here', labels })]);
    const thousand = Array.from({ length: 1_000 }, (_, at) => at);
    const wanted = [
      { hosts: thousand.map((at) => `web-${at}`) },
      { hosts: thousand.map((at) => `web-${at}*`) },
      { labels: thousand.map(() => ({ key: 'env', value: 'prod' })) },
    ];
    for (const filter of wanted) {
      const [page] = await store.events([{ filter, order: 'TIME', page: aPage({}) }]);
      expect(page?.rows.length).toBe(1);
    }
  });

  it('gives fewer rows where they are heavy, and pages go on without a gap', async () => {
    const store = await open();
    const message = 'x'.repeat(64 * KIB);
    const COUNT = 600;
    for (let from = 0; from < COUNT; from += 100) {
      const events = Array.from({ length: 100 }, (_, at) =>
        anEvent({ eventId: `heavy-${from + at}`, message, at: 1_760_000_000_000 + from + at }),
      );
      await store.append(events);
    }
    const seen: string[] = [];
    let after: (string | number)[] | null = null;
    for (;;) {
      const page = aPage({ limit: 1_000, after });
      const [found] = await store.events([{ filter: {}, order: 'TIME', page }]);
      const rows = found?.rows ?? [];
      expect(rows.length * message.length).toBeLessThan(17 * KIB * KIB);
      seen.push(...rows.map(({ node }) => node.eventId));
      after = rows.at(-1)?.key ?? null;
      if (found?.hasNextPage !== true) break;
    }
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, at) => `heavy-${at}`));
    const [head] = await store.heads(null);
    const slice = await store.readLog({ ...head, seq: 0 } as ShardCursor, COUNT, null, 1_000);
    expect(slice.events.length).toBeLessThan(30);
    expect(slice.through).toBe(slice.events.at(-1)?.position.seq);
  });
});

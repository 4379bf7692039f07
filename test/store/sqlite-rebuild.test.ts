import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { rebuildDataDir } from '../../src/store/sqlite/write/rebuild.ts';
import { aFleet, anEvent, aTaskEvent } from './events.ts';
import { contractSettings, fill } from './harness.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'shiplog-rebuild-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** Every view, without the keys of rows, which a rebuild may give anew. */
const VIEWS = {
  tasks: 'SELECT t.*, h.hosts FROM tasks t LEFT JOIN task_hosts h ON h.task = t.key ORDER BY id',
  words: 'SELECT rowid FROM task_words ORDER BY rowid',
  runs: `SELECT t.id, r.host, r.state, r.status, r.base, r.started_at, r.finished_at, r.duration,
           r.last_event_at, r.out_since FROM runs r JOIN tasks t ON t.key = r.task ORDER BY 1, 2`,
  steps: `SELECT t.id, r.host, s.name, s.idx, s.status, s.started_at, s.finished_at, s.duration,
            s.last_event_at, s.error_code, s.fingerprint FROM steps s JOIN runs r ON r.key = s.run
            JOIN tasks t ON t.key = s.task ORDER BY 1, 2, 3`,
  hosts: 'SELECT * FROM hosts ORDER BY name',
};

function withDatabase<T>(body: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(dataDir, 'shiplog.db'));
  try {
    return body(db);
  } finally {
    db.close();
  }
}

const dump = () =>
  withDatabase((db) =>
    Object.fromEntries(Object.entries(VIEWS).map(([name, sql]) => [name, db.prepare(sql).all()])),
  );

const hostsPlan = { change: 'began' as const, hosts: ['web-1', 'web-7', 'never-heard-of'] };

async function fillStore(): Promise<number> {
  const store = await openSqliteStore({ dataDir, settings: contractSettings });
  await fill(store, aFleet({ seed: 11 }));
  await fill(store, [
    anEvent({ taskId: 'planned', host: 'web-7', eventId: 'first' }),
    aTaskEvent(hostsPlan, { taskId: 'planned', eventId: 'plan' }),
    anEvent({ taskId: 'planned', host: 'web-1', eventId: 'then' }),
  ]);
  const count = await store.eventCount();
  await store.close();
  return count;
}

describe('A start of the embedded store with views that an older Shiplog folded', () => {
  it('folds them anew from the log, those of events that were in no view yet, too', async () => {
    await fillStore();
    const before = dump();
    withDatabase((db) => {
      db.exec(`DELETE FROM meta WHERE key IN ('views_version', 'views_through');
               UPDATE runs SET state = '{"steps":[["backup",{"name":"backup"}]]}';
               UPDATE tasks SET state = '{"plan":7}', seq = 0;`);
    });
    const store = await openSqliteStore({ dataDir, settings: contractSettings });
    await fill(store, [anEvent({ taskId: 'planned', host: 'web-7', eventId: 'first' })]).catch(
      () => 'a duplicate, which changes nothing',
    );
    await store.close();
    expect(dump()).toEqual(before);
  });
});

describe('A rebuild of the embedded store', () => {
  it('gives the same views as those that were kept event by event', async () => {
    const count = await fillStore();
    const before = dump();
    const heard: [number, number][] = [];
    expect(await rebuildDataDir(dataDir, (done, total) => heard.push([done, total]))).toBe(count);
    expect(heard.at(-1)).toEqual([count, count]);
    expect(dump()).toEqual(before);
  });

  it('mends views that somebody damaged, and a server goes on from there', async () => {
    await fillStore();
    const before = dump();
    withDatabase((db) => {
      db.exec(`UPDATE tasks SET status = 0, view = '{}', totals = '{}', state = '{}';
               UPDATE runs SET state = NULL, status = 0; DELETE FROM steps; DELETE FROM hosts;
               DELETE FROM task_hosts;`);
    });
    await rebuildDataDir(dataDir, () => undefined);
    expect(dump()).toEqual(before);
    const store = await openSqliteStore({ dataDir, settings: contractSettings });
    try {
      await fill(store, [anEvent({ taskId: 'planned', host: 'never-heard-of', eventId: 'last' })]);
      const key = { taskId: 'planned', host: 'never-heard-of' };
      expect(await store.runsByKey([key])).toMatchObject([{ status: 'RUNNING' }]);
    } finally {
      await store.close();
    }
  });

  it('leaves each task whole when it is interrupted', async () => {
    await fillStore();
    const before = dump();
    const halfway = rebuildDataDir(dataDir, (done, total) => {
      if (done > total / 2) throw new Error('interrupted');
    });
    await expect(halfway).rejects.toThrow('interrupted');
    expect(dump()).toEqual(before);
  });

  it('is refused while a server is using the directory', async () => {
    const store = await openSqliteStore({ dataDir, settings: contractSettings });
    try {
      await expect(rebuildDataDir(dataDir, () => undefined)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining('Another Shiplog server'),
      });
    } finally {
      await store.close();
    }
  });
});

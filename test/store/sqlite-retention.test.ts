/** What a server does while retention removes a day with a great many rows. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { Connection } from '../../src/store/sqlite/file/connection.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { retention } from '../../src/store/sqlite/write/retention.ts';
import { anEvent } from './events.ts';
import { contractSettings, fill } from './harness.ts';

const START = 1_760_000_000_000;
const DAY_MS = 86_400_000;
const RUNS = 20_000;
const STEPS_PER_RUN = 7;
/** Of one slice: what it stops at, the steps of a hundred runs beyond it, and the rows of a task. */
const ROWS_MAX = 7_500;

const settings = { ...contractSettings, retentionDays: 30 };

describe('Retention on SQLite', () => {
  const dirs: string[] = [];
  afterAll(async () => {
    for (const dir of dirs) await rm(dir, { recursive: true, force: true });
  });

  /** A closed database with one task of a long time ago that has a great many runs and steps. */
  async function aLargeDay(): Promise<string> {
    const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-retention-'));
    dirs.push(dataDir);
    const store = await openSqliteStore({ dataDir, settings: { ...settings, now: () => START } });
    await fill(store, [anEvent({ taskId: 'large', at: START, receivedAt: START })]);
    await store.close();
    const db = new DatabaseSync(join(dataDir, 'shiplog.db'));
    db.exec(`BEGIN;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${RUNS})
      INSERT INTO runs (key, task, host, status, base, started_at, duration, last_event_at)
        SELECT 100 + i, t.key, 'h-' || i, 0, 0, ${START}, 1, ${START} FROM n, tasks t;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${STEPS_PER_RUN})
      INSERT INTO steps (task, run, name, status, started_at, duration)
        SELECT r.task, r.key, 's-' || i, 0, ${START}, 1 FROM runs r, n WHERE r.key > 100;
      COMMIT`);
    db.close();
    return dataDir;
  }

  it('takes events and is healthy meanwhile, and those of the day that leaves are refused [M7]', async () => {
    const now = START + 31 * DAY_MS;
    const dataDir = await aLargeDay();
    const store = await openSqliteStore({ dataDir, settings: { ...settings, now: () => now } });
    let over = false;
    const removed = store.applyRetention().finally(() => {
      over = true;
    });
    let appended = 0;
    for (; !over; appended++) {
      const outcomes = await store.append(
        ['new', 'large'].map((taskId) => anEvent({ taskId, at: now, receivedAt: now })),
      );
      expect(outcomes).toMatchObject([
        { outcome: 'STORED' },
        { outcome: 'REJECTED', problem: { code: 'TASK_EXPIRED' } },
      ]);
      expect((await store.health()).ok).toBe(true);
    }
    // Between any two slices there was room for some.
    expect(appended).toBeGreaterThan((RUNS * STEPS_PER_RUN) / ROWS_MAX / 2);
    expect(await removed).toEqual({
      ...{ removedTasks: 1, removedEvents: 1, removedDays: ['2025-10-09'] },
    });
    expect(await store.eventCount()).toBe(appended);
    await store.close();
  });

  it('removes a bounded number of rows at a time, and after a stop goes on where it was', async () => {
    const dataDir = await aLargeDay();
    const connection = new Connection(join(dataDir, 'shiplog.db'), { readOnly: false });
    const run = () =>
      retention({
        ...{ connection, retentionDays: 30, now: START + 31 * DAY_MS },
        onLeaving: () => {},
        onRemoved: () => {},
      });
    const rows = () => Number(connection.get<{ n: number }>('SELECT total_changes() AS n')?.n ?? 0);
    const stopped = run();
    for (let slice = 0; slice < 5; slice++) stopped.next();
    let slices = 0;
    const again = run();
    for (let before = rows(); again.next().done !== true; before = rows(), slices++) {
      expect(rows() - before).toBeLessThan(ROWS_MAX);
    }
    expect(slices).toBeGreaterThan(10);
    const left = (table: string) => connection.get(`SELECT count(*) AS n FROM ${table}`);
    for (const table of ['tasks', 'runs', 'steps', 'days', 'rollups', 'blocks', 'hosts']) {
      expect([table, left(table)]).toEqual([table, { n: 0 }]);
    }
    expect(
      connection.all(
        "SELECT name FROM sqlite_master WHERE name GLOB 'events_*' OR name GLOB 'words_*'",
      ),
    ).toEqual([]);
    connection.close();
  });
});

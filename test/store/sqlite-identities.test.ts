/**
 * Which ids the embedded store knows: the newest from memory, the older ones from an index that takes
 * them a generation at a time. Here a generation is five, so that each is always on its way.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/domain/event/event.ts';
import { Connection } from '../../src/store/sqlite/file/connection.ts';
import { migrate } from '../../src/store/sqlite/file/migrate.ts';
import { headSeq, readLog } from '../../src/store/sqlite/read/events.ts';
import { Appender } from '../../src/store/sqlite/write/append.ts';
import { retention } from '../../src/store/sqlite/write/retention.ts';
import { anEvent } from './events.ts';
import { contractSettings } from './harness.ts';

const BOUNDS = { tasks: 2, runs: 3, generation: 5 };
const T0 = contractSettings.now();
const DAY_MS = 86_400_000;

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shiplog-identities-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function openFile(): Connection {
  const file = join(folder, `${++files}.db`);
  const connection = new Connection(file, { readOnly: false });
  connection.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
  migrate(connection, file);
  return connection;
}

function appenderOf(connection: Connection): Appender {
  return new Appender(connection, contractSettings, headSeq(connection), BOUNDS);
}

/** Ids that begin alike have one hash, which is of their first eight characters. */
const event = fc
  .record({
    task: fc.nat({ max: 3 }),
    hash: fc.nat({ max: 6 }),
    number: fc.nat({ max: 3 }),
    digest: fc.constantFrom('one', 'other'),
  })
  .map(({ task, hash, number, digest }) => {
    const id = `${String(hash).padStart(8, 'h')}-${task}-${number}`;
    return anEvent({ taskId: `t-${task}`, id, eventId: id, digest });
  });
const events = fc.array(event, { minLength: 1, maxLength: 8 });
/** In days after the first. */
const day = fc.nat({ max: 2 });
const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('append' as const), events, day }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('fail' as const), events, day }) },
  { weight: 1, arbitrary: fc.constant({ op: 'reopen' as const }) },
);

function cannotBeStored(): LogEvent {
  return anEvent({ taskId: 't-0', message: { not: 'a text' } as unknown as string });
}

describe('An id that the embedded store took', () => {
  it('is known from then on, whatever was rolled back, on its way or opened again since', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 30 }), (operations) => {
        const connection = openFile();
        const known = new Map<string, { digest: string; seq: number }>();
        let appender = appenderOf(connection);
        for (const operation of operations) {
          if (operation.op === 'reopen') {
            appender = appenderOf(connection);
            continue;
          }
          const now = T0 + operation.day * DAY_MS;
          const given = structuredClone(operation.events);
          if (operation.op === 'fail') {
            expect(() => appender.append([...given, cannotBeStored()], now)).toThrow();
            continue;
          }
          const outcomes = appender.append(given, now);
          for (const [at, { id, digest }] of operation.events.entries()) {
            const first = known.get(id);
            const outcome = outcomes[at];
            if (first === undefined) {
              expect(outcome).toMatchObject({ outcome: 'STORED' });
              if (outcome?.outcome !== 'STORED') continue;
              known.set(id, { digest, seq: outcome.position.seq });
            } else if (first.digest === digest) {
              expect(outcome).toMatchObject({ outcome: 'DUPLICATE', position: { seq: first.seq } });
            } else {
              expect(outcome).toMatchObject({ problem: { code: 'ID_CONFLICT' } });
            }
          }
        }
        connection.close();
      }),
      { numRuns: 100 },
    );
  });

  it('is known among thousands that are in memory', () => {
    const connection = openFile();
    const appender = new Appender(connection, contractSettings, 0);
    const given = (batch: number) =>
      Array.from({ length: 700 }, (_, at) => anEvent({ eventId: `${batch}-${at}` }));
    for (let batch = 0; batch < 3; batch++) appender.append(given(batch), T0);
    for (let batch = 0; batch < 3; batch++) {
      const outcomes = appender.append(given(batch), T0);
      expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['DUPLICATE']));
    }
    connection.close();
  });

  it('is known in a file that an earlier Shiplog wrote', () => {
    const connection = openFile();
    const given = () => ['a', 'b', 'c'].map((id) => anEvent({ id, eventId: id }));
    appenderOf(connection).append(given(), T0);
    const [{ day }] = connection.all<{ day: number }>('SELECT day FROM days') as [{ day: number }];
    connection.exec(`
      DROP TABLE ids_${day};
      CREATE INDEX events_${day}_id ON events_${day} (task, id_hash);
      ALTER TABLE days DROP COLUMN ids_through;
      PRAGMA user_version = 3;
    `);
    migrate(connection, 'as it is opened');
    expect(namesLike(connection, 'events_%_id')).toEqual([]);
    const outcomes = appenderOf(connection).append(given(), T0);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(3).fill('DUPLICATE'));
    connection.close();
  });

  it('goes with its day', () => {
    const connection = openFile();
    const appender = appenderOf(connection);
    const append = (count: number, name: string, now: number) =>
      appender.append(
        Array.from({ length: count }, (_, at) =>
          anEvent({ taskId: name, eventId: `${name}-${at}`, receivedAt: now }),
        ),
        now,
      );
    append(2, 'new', T0);
    append(2, 'old', T0 - 40 * DAY_MS);
    appender.views.flush();
    const slices = retention({
      ...{ connection, retentionDays: 30, now: T0 },
      onLeaving: (day) => appender.views.leaving.add(day),
      onRemoved: () => {
        connection.forgetStatements();
        appender.views.recover();
      },
    });
    while (slices.next().done !== true);
    expect(namesLike(connection, 'ids_%')).toHaveLength(1);
    // The generation that goes over now has ids of a day that is gone.
    const tasks = ['next', 'more-1', 'more-2', 'more-3', 'more-4'];
    for (const task of tasks) append(3, task, T0);
    for (const task of [...tasks, 'new']) {
      const outcomes = append(2, task, T0).map(({ outcome }) => outcome);
      expect([task, ...outcomes]).toEqual([task, 'DUPLICATE', 'DUPLICATE']);
    }
    connection.close();
  });
});

describe('A task that retention removes', () => {
  it('leaves its number to no other, while its events are there and later', () => {
    const connection = openFile();
    const append = (appender: Appender, taskId: string, now: number) =>
      appender.append([anEvent({ taskId, message: taskId, receivedAt: now })], now);
    append(appenderOf(connection), 'kept', T0);
    append(appenderOf(connection), 'old', T0 - 40 * DAY_MS);
    const slices = retention({
      ...{ connection, retentionDays: 30, now: T0 },
      onLeaving: () => {},
      onRemoved: () => {},
    });
    const tasks = () => connection.all<{ id: string }>('SELECT id FROM tasks').map(({ id }) => id);
    while (tasks().includes('old')) slices.next();
    append(appenderOf(connection), 'next', T0);
    const messages = () => {
      const { events } = readLog(connection, 0, headSeq(connection), null, 1_000);
      return events.map(({ taskId, message }) => [taskId, message]);
    };
    expect(messages()).toEqual([
      ['kept', 'kept'],
      ['next', 'next'],
    ]);
    while (slices.next().done !== true);
    append(appenderOf(connection), 'last', T0);
    const keys = connection.arrays<[number, string]>('SELECT key, id FROM tasks ORDER BY key', []);
    expect(keys.map(([key, id]) => [key, id])).toEqual([
      [1, 'kept'],
      [3, 'next'],
      [4, 'last'],
    ]);
    connection.close();
  });
});

function namesLike(connection: Connection, pattern: string): string[] {
  return connection
    .all<{ name: string }>('SELECT name FROM sqlite_master WHERE name LIKE ?', pattern)
    .map(({ name }) => name);
}

/**
 * The stored views against random histories, with so little remembered that tasks and runs are
 * forgotten and loaded again all the time: they are what a fold of the log says.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LogEvent, TERMINAL_STEP_STATUSES } from '../../src/domain/event/event.ts';
import { Connection } from '../../src/store/sqlite/file/connection.ts';
import { migrate } from '../../src/store/sqlite/file/migrate.ts';
import { headSeq, readLog } from '../../src/store/sqlite/read/events.ts';
import {
  readHostsByName,
  readRunsByKey,
  readTasksById,
} from '../../src/store/sqlite/read/lists.ts';
import { readTaskStats, TaskStatsCache } from '../../src/store/sqlite/read/task-stats.ts';
import { Appender } from '../../src/store/sqlite/write/append.ts';
import { anEvent, aStatus, aTaskEvent } from './events.ts';
import { contractSettings } from './harness.ts';
import { foldLog } from './oracle.ts';

const BOUNDS = { tasks: 2, runs: 3 };
const T0 = contractSettings.now();
const HOSTS = ['web-1', 'web-2', 'web-3'];
const STEPS = ['backup', 'download', 'unpack'];

type Op =
  | { op: 'append'; events: LogEvent[] }
  | { op: 'fail' | 'outage'; events: LogEvent[] }
  | { op: 'flush' | 'reopen' };

const taskId = fc.nat({ max: 4 }).map((n) => `t-${n}`);
const at = fc.nat({ max: 20 }).map((n) => T0 + n * 1_000);
const host = fc.constantFrom(...HOSTS);
const step = fc.constantFrom(...STEPS, 'unplanned');
const status = fc.constantFrom('RUNNING' as const, ...TERMINAL_STEP_STATUSES);
const attempt = fc.integer({ min: 1, max: 2 });

const event: fc.Arbitrary<LogEvent> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ taskId, host, step, status, attempt, at })
      .map(({ status: said, ...fields }) => aStatus(said, fields)),
  },
  {
    weight: 2,
    arbitrary: fc.record({ taskId, host, step, at }).map((fields) => anEvent(fields)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        taskId,
        at,
        hosts: fc.option(fc.subarray(HOSTS)),
        plan: fc.option(fc.subarray(STEPS, { minLength: 1 })),
        expectedHosts: fc.option(fc.nat({ max: 4 })),
      })
      .map(({ hosts, plan, expectedHosts, ...fields }) =>
        aTaskEvent({ change: 'began', hosts, plan, expectedHosts }, fields),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ taskId, at })
      .map((fields) => aTaskEvent({ change: 'ended', status: null }, fields)),
  },
);
const events = fc.array(event, { minLength: 1, maxLength: 6 });
const operation: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('append' as const), events }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('fail' as const), events }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('outage' as const), events }) },
  { weight: 4, arbitrary: fc.constant({ op: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ op: 'reopen' as const }) },
);

/** What is wrong with it shows only when it is inserted: the transaction is rolled back. */
function cannotBeStored(): LogEvent {
  return anEvent({ taskId: 't-0', message: { not: 'a text' } as unknown as string });
}

function unreadable(): never {
  throw new Error('the disk cannot be read');
}

describe('The views of the embedded store under random histories', () => {
  it('are what a fold of the log says, whatever is forgotten, rolled back or opened again', () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'shiplog-views-'));
    let runs = 0;
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 40 }), (operations) => {
        const file = join(dataDir, `${++runs}.db`);
        const connection = new Connection(file, { readOnly: false });
        connection.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
        migrate(connection, file);
        const open = () => new Appender(connection, contractSettings, headSeq(connection), BOUNDS);
        let appender = open();
        for (const operation of operations) {
          // An appender keeps what it is given.
          const given = () => ('events' in operation ? structuredClone(operation.events) : []);
          if (operation.op === 'append') appender.append(given(), T0);
          if (operation.op === 'flush') appender.views.flush();
          if (operation.op === 'reopen') appender = open();
          if (operation.op === 'outage') {
            // Neither the events can be taken nor what was rolled back folded again.
            connection.arrays = unreadable;
            expect(() => appender.append([...given(), cannotBeStored()], T0)).toThrow();
            connection.arrays = Connection.prototype.arrays;
          }
          if (operation.op === 'fail') {
            expect(() => appender.append([...given(), cannotBeStored()], T0)).toThrow();
          }
        }
        appender.views.flush();
        expectFolded(connection);
        connection.close();
        rmSync(file);
      }),
      { numRuns: 150 },
    );
    rmSync(dataDir, { recursive: true });
  });
});

function expectFolded(connection: Connection): void {
  const log = readLog(connection, 0, headSeq(connection), null, 1_000).events;
  const { tasks, runs, hosts } = foldLog(log);
  const ids = tasks.map(({ id }) => id);
  expect(readTasksById(connection, ids)).toEqual(tasks);
  expect(readRunsByKey(connection, runs)).toEqual(runs);
  const names = hosts.map(({ name }) => name);
  expect(readHostsByName(connection, names)).toEqual(hosts);
  const stats = readTaskStats(connection, ids, 0, new TaskStatsCache());
  for (const [i, id] of ids.entries()) {
    const own = runs.filter(({ taskId: of }) => of === id);
    const { runCounts, stepSummaries } = stats[i] as (typeof stats)[number];
    expect(runCounts.total).toBe(own.length);
    expect(runCounts.failed).toBe(own.filter((run) => run.status === 'FAILED').length);
    const succeeded = own
      .flatMap((run) => run.steps)
      .filter((one) => one.status === 'SUCCEEDED').length;
    expect(stepSummaries.reduce((sum, summary) => sum + summary.succeeded, 0)).toBe(succeeded);
  }
}

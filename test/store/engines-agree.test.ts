/**
 * One truth on two engines: whatever can be asked, both answer with the same values.
 *
 * What may differ is taken out, and nothing else: where an event stands in the log (shards are the
 * engine's own), what is made of that (cursors, page keys), and the order of rows that are equal
 * in all that their list is sorted by.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page, PageRequest } from '../../src/domain/cursor/page.ts';
import type { RunView, StepView, TaskView } from '../../src/domain/fold/views.ts';
import type {
  EventFilter,
  RunFilter,
  StepFilter,
  TaskFilter,
} from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import { runFields, stepFields } from '../../src/store/elasticsearch/keeper/view-documents.ts';
import { pageInMemory } from '../../src/store/elasticsearch/query/memory-search.ts';
import { runList, stepList } from '../../src/store/elasticsearch/query/view-query.ts';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { causesIn } from '../../src/store/elasticsearch/views/task-lists.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type {
  EventOrder,
  RunOrder,
  StepGroupBy,
  StepOrder,
  Store,
  TaskOrder,
} from '../../src/store/store.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { allRows, aPage, contractSettings, fill, wholeLog } from './harness.ts';
import {
  aHostileFleet,
  DAY_MS,
  HOSTS,
  MANY,
  SERVICES,
  START,
  STEPS,
  TASKS,
} from './hostile-fleet.ts';

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const ALL = 5_000;

type Question = (store: Store) => Promise<unknown>;

const searches = [
  ...[
    'refused',
    'connection -refused',
    '"connection to"',
    '10.0.0.7',
    '连接',
    '连接超时',
    'GRÖSSE',
  ],
  ...[
    'strasse',
    'Straße',
    'ISTANBUL',
    'éclair',
    'e\u0301clair',
    'error',
    'disk full',
    '"disk full"',
  ],
  ...['3.5s', 'a_b', 'a-b', 'sda1', 'e_io', '错误', '长', 'lon*', '-lon*', 'host:web-*', '50%'],
  ...[
    'host:"主机 1"',
    '-host:web-1',
    'step:"a b"',
    'level:error -disk',
    'status:failed',
    'ﬁle',
    'file',
  ],
  ...['service:"b c"', 'service:che*', 'source:agent/2*', 'stream:stderr line', 'environment:prod'],
];
const labels = [
  ...[
    ['rack', 'r1'],
    ['rack', 'R1'],
    ['hot', 'true'],
    ['a.b', '1'],
    ['ratio', '0.1'],
  ],
  ...[
    ['huge', '1e+21'],
    ['键', '值,1'],
    ["q'", '"'],
    ['nothing', 'x'],
  ],
].map(([key, value]) => [{ key: key as string, value: value as string }]);

const EVENT_FILTERS: EventFilter[] = [
  {},
  ...TASKS.map((taskId) => ({ taskId })),
  { taskId: 'nobody' },
  { hosts: HOSTS.slice(2, 5) },
  { hosts: ['web-*', '～*'], taskId: 'a,b,c' },
  { hosts: ['*'] },
  { steps: STEPS.slice(2) },
  { services: ['b c'] },
  { services: ['Größe', '决策,支付'], minLevel: 'WARN' },
  { environments: ['Prod'] },
  { sources: ['代理'], attempts: [2, 3] },
  { statuses: ['FAILED', 'TIMED_OUT'] },
  { streams: ['STDERR'], levels: ['ERROR', 'FATAL', 'TRACE'] },
  { kinds: ['TASK', 'PROGRESS'] },
  { from: START, to: START + DAY_MS },
  { from: START + DAY_MS + 7_100, taskId: 'a,b,c' },
  { to: START },
  ...labels.map((some) => ({ labels: some })),
  ...searches.map((text) => ({ search: parseSearch(text) ?? never(text) })),
  { taskId: 'a', search: parseSearch('connection') ?? never('') },
];
const TASK_FILTERS: TaskFilter[] = [
  {},
  { ids: ['a,b,c', '🚀 "launch"', 'nobody'] },
  { services: ['b c', '决策,支付'] },
  { environments: ['prod'] },
  { versions: ['1.10.0'] },
  { statuses: ['FAILED', 'PARTIAL', 'RUNNING'] },
  { createdBy: ['ada'] },
  { host: '🎉-host' },
  { host: 'web-*' },
  { host: 'planned-1' },
  { from: START, to: START + 2 * DAY_MS },
  ...labels.map((some) => ({ labels: some })),
  ...['größe', '发布', 'launch', 'strasse', 'a', 'a b c', '-a', 'b c', 'ADA', '1.10'].map(
    (text) => ({ search: parseSearch(text) ?? never(text) }),
  ),
];
const RUN_FILTERS: RunFilter[] = [
  ...TASKS.map((taskId) => ({ taskId })),
  { services: ['c'] },
  { environments: ['b c'], versions: ['1.2.0'] },
  { hosts: ['ärger', 'Ä*'] },
  { statuses: ['FAILED'] },
  { statuses: ['PENDING', 'NOT_RUN', 'CANCELLED'], services: ['checkout', 'b c'] },
  { stale: true },
  { stale: false, taskId: 'a' },
  { outOfRotation: false, hosts: ['db,1'] },
  ...STEPS.map((failedStep) => ({ failedStep })),
  { from: START + DAY_MS },
  { from: START, to: START + DAY_MS },
];
const STEP_FILTERS: StepFilter[] = [
  { from: START - DAY_MS },
  ...TASKS.slice(0, 5).map((taskId) => ({ taskId })),
  { services: ['b c', 'c'] },
  { environments: ['Prod'] },
  { hosts: ['主机 1', '～*'] },
  { hosts: ['🎉-host'], taskId: 'a,b,c' },
  { steps: ['a', 'a b'] },
  { statuses: ['FAILED', 'TIMED_OUT'] },
  { statuses: ['PENDING'], hosts: ['web-*', 'a*', '～*'] },
  { from: START + DAY_MS },
  { from: START, to: START + 2 * DAY_MS },
  { minDurationMs: 12.5, hosts: ['*ger', 'Ä*', 'web-2'] },
  { errorCode: '错误' },
];

function never(text: string): never {
  throw new Error(`a blank search: ${text}`);
}

/** Without what the engine's own shards make different. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, part: unknown) =>
      // `said` and `seq`: of a task's state, where what was said last is, and its steps first were.
      ['position', 'said', 'seq'].includes(name) || (name === 'at' && Array.isArray(part))
        ? undefined
        : part,
    ),
  );
}

/** Rows that are equal in what sorts them, by name; rows that are not stay where they are. */
function tiesByName<T>(
  rows: readonly T[],
  value: (row: T) => unknown,
  name: (row: T) => string,
): T[] {
  const ties: T[][] = [];
  for (const row of rows) {
    const last = ties.at(-1);
    if (last?.[0] !== undefined && value(last[0]) === value(row)) last.push(row);
    else ties.push([row]);
  }
  // Stable: lines of one task stay in the order of the log.
  return ties.flatMap((tie) => tie.toSorted((a, b) => compare(name(a), name(b))));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The list from both ends, and around some of its rows: all say the same. */
async function walked<T>(read: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const whole = await read(aPage({ limit: ALL, withTotal: true }));
  expect(whole.total).toBe(whole.rows.length);
  const { rows } = whole;
  const limit = Math.max(3, Math.ceil(rows.length / 3));
  expect(await allRows(read, false, limit)).toEqual(rows);
  expect(await allRows(read, true, limit + 1)).toEqual(rows);
  return rows.map(({ node }) => node);
}

async function around(store: Store, filter: EventFilter, order: EventOrder): Promise<void> {
  const read = async (page: PageRequest) => first(await store.events([{ filter, order, page }]));
  const { rows } = await read(aPage({ limit: ALL }));
  for (const middle of [0, Math.floor(rows.length / 2), rows.length - 1]) {
    const key = rows[middle]?.key;
    if (key === undefined) continue;
    const start = Math.max(0, Math.min(middle - 3, rows.length - 6));
    expect((await read(aPage({ limit: 6, around: key }))).rows).toEqual(
      rows.slice(start, start + 6),
    );
  }
}

function first<T>(list: readonly T[]): T {
  if (list[0] === undefined) throw new Error('no answer');
  return list[0];
}

const GROUPINGS: StepGroupBy[] = ['STEP', 'HOST', 'STEP_AND_SERVICE', 'STEP_AND_DAY'];

const nameOfRun = ({ taskId, host }: { taskId: string; host: string }) => `${taskId}\n${host}`;
const nameOfStep = ({ taskId, host, name }: StepView) => `${taskId}\n${host}\n${name}`;

const TASK_VALUES: Record<TaskOrder, (task: TaskView) => unknown> = {
  CREATED_DESC: ({ createdAt }) => createdAt,
  CREATED_ASC: ({ createdAt }) => createdAt,
  DURATION_DESC: ({ durationMs }) => durationMs,
};
const RUN_VALUES: Record<RunOrder, (run: RunView) => unknown> = {
  HOST_ASC: ({ host }) => host,
  STARTED_DESC: ({ startedAt }) => startedAt,
  DURATION_DESC: ({ durationMs }) => durationMs,
  LAST_EVENT_DESC: ({ lastEventAt }) => lastEventAt,
  FAILED_FIRST: ({ status, host }) => `${status} ${host}`,
};
const STEP_VALUES: Record<StepOrder, (step: StepView) => unknown> = {
  STARTED_DESC: ({ startedAt }) => startedAt,
  STARTED_ASC: ({ startedAt }) => startedAt,
  DURATION_DESC: ({ durationMs }) => durationMs,
};

function keys<K extends string>(values: Record<K, unknown>): K[] {
  return Object.keys(values) as K[];
}

async function runKeys(store: Store) {
  const page = aPage({ limit: ALL });
  const runs = first(await store.runs([{ filter: {}, order: 'HOST_ASC', page }]));
  return runs.rows
    .map(({ node: { taskId, host } }) => ({ taskId, host }))
    .filter(({ taskId }) => taskId !== MANY)
    .sort((a, b) => compare(nameOfRun(a), nameOfRun(b)));
}

const QUESTIONS: Record<string, Question> = {
  'events by time': async (store) => {
    const page = aPage({ limit: ALL, withTotal: true });
    const pages = await store.events(
      EVENT_FILTERS.map((filter) => ({ filter, order: 'TIME' as const, page })),
    );
    return pages.map(({ rows, ...rest }, i) => [
      EVENT_FILTERS[i],
      rest,
      tiesByName(
        rows.map(({ node }) => node),
        ({ at }) => at,
        ({ taskId }) => taskId,
      ),
    ]);
  },
  'pages of events by time': async (store) => {
    for (const filter of [
      { hosts: HOSTS.slice(0, 3) },
      { taskId: '任务-1' },
      { levels: ['WARN' as const] },
    ]) {
      await walked(async (page) => first(await store.events([{ filter, order: 'TIME', page }])));
      await around(store, filter, 'TIME');
    }
  },
  'events of tasks in the order of the log': async (store) => {
    const filters = EVENT_FILTERS.filter(({ taskId }) => taskId !== undefined);
    const read = (filter: EventFilter) => async (page: PageRequest) =>
      first(await store.events([{ filter, order: 'LOG', page }]));
    for (const filter of filters.slice(0, 2)) await around(store, filter, 'LOG');
    await walked(read(filters[0] ?? {}));
    const page = aPage({ limit: ALL });
    return (await store.events(filters.map((filter) => ({ filter, order: 'LOG', page })))).map(
      ({ rows }) => rows.map(({ node }) => node),
    );
  },
  'the whole log': async (store) => (await wholeLog(store)).sort((a, b) => compare(a.id, b.id)),
  'lists of tasks': async (store) => {
    const found: unknown[] = [];
    for (const filter of TASK_FILTERS) {
      const page = aPage({ limit: ALL, withTotal: true });
      const { rows, ...rest } = await store.tasks({ filter, order: 'CREATED_DESC', page });
      const tasks = rows.map(({ node }) => node);
      found.push([filter, rest, tiesByName(tasks, TASK_VALUES.CREATED_DESC, ({ id }) => id)]);
    }
    for (const order of keys(TASK_VALUES)) {
      const tasks = await walked((page) => store.tasks({ filter: {}, order, page }));
      found.push([order, tiesByName(tasks, TASK_VALUES[order], ({ id }) => id)]);
    }
    return found;
  },
  'lists of runs': async (store) => {
    const page = aPage({ limit: ALL, withTotal: true });
    const queries = keys(RUN_VALUES).flatMap((order) =>
      RUN_FILTERS.filter(({ taskId }) => taskId === undefined || order === 'HOST_ASC').map(
        (filter) => ({ filter, order, page }),
      ),
    );
    const pages = await store.runs(queries);
    await Promise.all(
      keys(RUN_VALUES).map((order) => {
        const filter = { hosts: ['web-1', '～*'] };
        return walked(async (page) => first(await store.runs([{ filter, order, page }])));
      }),
    );
    return pages.map(({ rows, ...rest }, i) => {
      const { filter, order } = queries[i] as (typeof queries)[number];
      const runs = rows.map(({ node }) => node);
      return [filter, order, rest, tiesByName(runs, RUN_VALUES[order], nameOfRun)];
    });
  },
  'lists of steps': async (store) => {
    const page = aPage({ limit: ALL, withTotal: true });
    const queries = keys(STEP_VALUES).flatMap((order) =>
      STEP_FILTERS.map((filter) => ({ filter, order, page })),
    );
    const pages = await store.steps(queries);
    await Promise.all(
      keys(STEP_VALUES).map((order) => {
        const filter = { hosts: ['web-1', '～*'] };
        return walked(async (page) => first(await store.steps([{ filter, order, page }])));
      }),
    );
    return pages.map(({ rows, ...rest }, i) => {
      const { filter, order } = queries[i] as (typeof queries)[number];
      const steps = rows.map(({ node }) => node);
      return [filter, order, rest, tiesByName(steps, STEP_VALUES[order], nameOfStep)];
    });
  },
  hosts: async (store) => [
    await walked((page) => store.hosts({ filter: { names: [...HOSTS, 'nowhere'] }, page })),
    await walked((page) => store.hosts({ filter: { namePrefix: 'm-1' }, page })),
    ...(await Promise.all(
      labels.map((some) => walked((page) => store.hosts({ filter: { labels: some }, page }))),
    )),
    await walked((page) => store.hosts({ filter: { seenSince: START + DAY_MS * 2 }, page })),
    await store.hostsByName([...HOSTS, 'nowhere', 'planned-1']),
  ],
  'tasks, runs and steps by their keys': async (store) => {
    const runs = [...(await runKeys(store)), { taskId: 'nobody', host: 'x' }];
    const steps = runs.flatMap((key) => STEPS.map((step) => ({ ...key, step })));
    return [
      await store.tasksById([...TASKS, MANY, 'nobody']),
      await store.runsByKey(runs),
      await store.stepsByKey(steps),
    ];
  },
  'counts and percentiles of tasks': (store) => store.taskStats([...TASKS, MANY, 'nobody']),
  'last lines': async (store) => {
    const runs = await runKeys(store);
    return store.lastLines(
      runs.flatMap((key) => STEPS.map((step) => ({ ...key, step }))),
      3,
    );
  },
  'what is missing': async (store) => store.completeness(await runKeys(store)),
  'the reliability of hosts': async (store) => [
    await store.reliability([...HOSTS, 'planned-1', 'nowhere'], null, null),
    await store.reliability(HOSTS, START + DAY_MS, START + 2 * DAY_MS),
  ],
  'matrices and boards': async (store) => {
    const boards = await Promise.all([...TASKS, 'nobody'].map((id) => store.board(id)));
    return [
      (await store.matrices([...TASKS, MANY, 'nobody'])).map((answer) => answer?.matrix),
      boards.map((board) => ({
        ...board,
        runs: board?.runs.toSorted((a, b) => compare(a.host, b.host)),
      })),
    ];
  },
  'statistics of steps': async (store) => {
    const all = { services: SERVICES.flatMap((service) => service ?? []) };
    const filters = [{}, ...STEP_FILTERS, { minDurationMs: 12.5 }, { taskId: MANY }, all];
    const asked = filters.flatMap((filter) => GROUPINGS.map((groupBy) => ({ filter, groupBy })));
    return Promise.all(
      asked.map(async (question) => [
        question,
        await store.stepStats(question.filter, question.groupBy),
      ]),
    );
  },
  'events over time': (store) =>
    Promise.all(
      EVENT_FILTERS.map(async (filter, i) => [
        filter,
        await store.eventHistogram(filter, i % 2 === 0 ? 1 : 17),
      ]),
    ),
  'groups of failures': (store) =>
    store.failureGroups(
      STEP_FILTERS.flatMap((filter) => [1, 2, 20].map((n) => ({ filter, first: n }))),
    ),
  'how many events there are': (store) => store.eventCount(),
  'tasks that changed': async (store) => {
    const { tasks, more } = await store.tasksChangedSince([], 1_000);
    return [tasks.sort((a, b) => compare(a.id, b.id)), more];
  },
  'idle tasks': async (store) => {
    const idle = await store.idleTasks(START + 10 * DAY_MS, 1_000);
    return idle.sort((a, b) => a.lastEventAt - b.lastEventAt || compare(a.taskId, b.taskId));
  },
};

describe(`Both engines, asked the same (SEED=${SEED})`, async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const cleanUps: (() => Promise<unknown>)[] = [() => elasticsearch.cleanUp()];
  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });
  const fleet = aHostileFleet(SEED);
  let now = 0;
  const settings = { ...contractSettings, now: () => now };
  const stores: Record<string, Store> = {};

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-agree-'));
    stores.sqlite = await openSqliteStore({ dataDir, settings });
    for (const shards of [1, 3]) {
      const config = {
        urls: [elasticsearch.url],
        shards,
        replicas: 0,
        prefix: elasticsearch.prefix(),
      };
      stores[`${shards} shards`] = await openElasticsearchStore({ config, settings });
    }
    cleanUps.push(() => rm(dataDir, { recursive: true, force: true }));
    for (const store of Object.values(stores)) cleanUps.push(() => store.close());
    for (const batch of fleet) {
      now = batch.now;
      await Promise.all(Object.values(stores).map((store) => fill(store, batch.events, 500)));
    }
  });

  for (const [what, ask] of Object.entries(QUESTIONS)) {
    it(`answer with the same values: ${what} [S12 G6]`, async () => {
      const [expected, ...others] = await Promise.all(
        ['sqlite', '1 shards', '3 shards'].map(async (name) =>
          plain((await ask(stores[name] as Store)) ?? null),
        ),
      );
      for (const [i, other] of others.entries()) {
        expect(other, `${i === 0 ? 'one shard' : 'three shards'}, SEED=${SEED}`).toEqual(expected);
      }
    });
  }

  it(`lists in memory are what Elasticsearch finds, to the last key (SEED=${SEED})`, async () => {
    const store = stores['3 shards'] as Store;
    const all = aPage({ limit: ALL, withTotal: true });
    const whole = first(await store.runs([{ filter: {}, order: 'HOST_ASC', page: all }]));
    const somewhere = whole.rows[Math.floor(whole.rows.length / 3)]?.key ?? null;
    const runs = whole.rows.map(({ node }) => node);
    const inRuns = runs.map((node) => ({ fields: runFields(node), node }));
    const inSteps = runs.flatMap(({ steps }) =>
      steps.map((node) => ({ fields: stepFields(node), node })),
    );
    const pages = [all, aPage({ limit: 3 }), aPage({ limit: 3, backward: true, withTotal: true })];
    const pageOf = (i: number) => pages[i % pages.length] as PageRequest;
    const runQueries = keys(RUN_VALUES).flatMap((order, turn) =>
      RUN_FILTERS.map((filter, i) => ({ filter, order, page: pageOf(i + turn) })),
    );
    for (const page of [
      aPage({ limit: 7, after: somewhere }),
      aPage({ limit: 7, before: somewhere, backward: true }),
    ]) {
      runQueries.push({ filter: {}, order: 'HOST_ASC', page });
    }
    const stepQueries = keys(STEP_VALUES).flatMap((order, turn) =>
      STEP_FILTERS.map((filter, i) => ({ filter, order, page: pageOf(i + turn) })),
    );
    const causes = STEP_FILTERS.map((filter, i) => ({ filter, first: 1 + 9 * (i % 3) }));
    const staleBefore = now - settings.staleAfterMs;
    expect({
      runs: runQueries.map((query) =>
        pageInMemory(runList(query, staleBefore), query.page, inRuns),
      ),
      steps: stepQueries.map((query) => pageInMemory(stepList(query), query.page, inSteps)),
      causes: causes.map((query) => causesIn(query, inSteps)),
    }).toEqual({
      runs: await store.runs(runQueries),
      steps: await store.steps(stepQueries),
      causes: await store.failureGroups(causes),
    });
  });
});

/** Reading over GraphQL: lists and their pages, filters and what is wrong with them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnEngines } from '../support/engines.ts';
import { startServer, type TestServer } from './server.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const HOUR = 3_600_000;

describeOnEngines('queries', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    const now = () => NOW;
    server = await startServer(await engine.open({ now }), { now });
    await server.data(`mutation {
      a: startTask(input: {id: "q-1", service: "shop", environment: "prod", version: "1", hosts: ["web-1", "web-2", "web-3"], plan: ["pull", "run"]}) {created}
      b: startTask(input: {id: "q-2", service: "cart", environment: "prod", version: "2"}) {created}
    }`);
    const at = (minutes: number) => NOW + minutes * 60_000;
    await server.report(
      {
        taskId: 'q-1',
        host: 'web-1',
        step: 'pull',
        status: 'RUNNING',
        at: at(-30),
        source: 'agent/1',
      },
      { taskId: 'q-1', host: 'web-1', step: 'pull', message: 'fetching layer 7', at: at(-29) },
      {
        taskId: 'q-1',
        host: 'web-1',
        step: 'pull',
        status: 'SUCCEEDED',
        at: at(-28),
        source: 'agent/1',
      },
      {
        taskId: 'q-1',
        host: 'web-2',
        step: 'pull',
        message: 'no space left',
        level: 'ERROR',
        at: at(-27),
      },
      {
        taskId: 'q-1',
        host: 'web-2',
        step: 'pull',
        status: 'FAILED',
        at: at(-26),
        error: { code: 'ENOSPC', message: 'no space left on device' },
      },
      { taskId: 'q-2', host: 'web-1', step: 'pull', status: 'RUNNING', at: at(-10) },
      { taskId: 'q-2', host: 'web-1', step: 'pull', message: 'fetching too', at: at(-40) },
      { taskId: 'q-2', host: 'web-1', step: 'pull', message: 'long ago', at: NOW - 30 * HOUR },
    );
  });
  afterAll(() => server.close());

  it('a task shows its hosts, their steps and what they amount to', async () => {
    const { task } = await server.data(`{task(id: "q-1") {
      status stale
      runCounts {total pending running succeeded failed}
      stepSummaries {step succeeded failed pending}
      runs(orderBy: FAILED_FIRST) {nodes {hostName status steps {name status error {code}}} totalCount}
      run(host: "web-1") {id step(name: "pull") {id durationMs host {name}} task {id}}
      matrix {hosts steps cells cursor}
      failureGroups {count hosts steps sample {hostName}}
    }}`);
    expect(task.runCounts).toEqual({ total: 3, pending: 1, running: 1, succeeded: 0, failed: 1 });
    expect(task.stepSummaries).toEqual([
      { step: 'pull', succeeded: 1, failed: 1, pending: 1 },
      { step: 'run', succeeded: 0, failed: 0, pending: 3 },
    ]);
    expect(task.runs.nodes[0]).toEqual({
      hostName: 'web-2',
      status: 'FAILED',
      steps: [
        { name: 'pull', status: 'FAILED', error: { code: 'ENOSPC' } },
        { name: 'run', status: 'PENDING', error: null },
      ],
    });
    expect(task.runs.totalCount).toBe(3);
    expect(task.run.step).toMatchObject({ durationMs: 120_000, host: { name: 'web-1' } });
    expect(task.matrix).toMatchObject({
      hosts: ['web-1', 'web-2', 'web-3'],
      steps: ['pull', 'run'],
      cells: 'SPFPPP',
    });
    expect(task.failureGroups).toMatchObject([{ count: 1, hosts: ['web-2'] }]);
  });

  it('what is silent for longer than allowed is stale', async () => {
    const { task } = await server.data('{task(id: "q-2") {stale run(host: "web-1") {stale}}}');
    expect(task).toEqual({ stale: false, run: { stale: false } });
  });

  it('ids of runs and steps are the same wherever they are met, and differ where the things do', async () => {
    const found = await server.data(`{
      runs(filter: {hosts: ["web-*"]}) {nodes {id taskId hostName steps {id name}}}
      steps(filter: {taskId: "q-1", hosts: ["web-2"], steps: ["pull"]}) {nodes {id}}
    }`);
    const ids = found.runs.nodes.flatMap((run: { id: string; steps: { id: string }[] }) => [
      run.id,
      ...run.steps.map(({ id }) => id),
    ]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain(found.steps.nodes[0].id);
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
  });

  it('unknown things are null or empty, never an error', async () => {
    const found = await server.data(`{
      task(id: "nope") {id} host(name: "nope") {name}
      runs(filter: {hosts: ["nope"]}) {nodes {id} totalCount pageInfo {hasNextPage endCursor}}
      events(filter: {taskId: "nope"}) {nodes {id} tailCursor}
    }`);
    expect(found).toMatchObject({
      task: null,
      host: null,
      runs: { nodes: [], totalCount: 0, pageInfo: { hasNextPage: false, endCursor: null } },
      events: { nodes: [] },
    });
  });

  it('pages go forth and back without skipping or repeating', async () => {
    const page = (args: string) =>
      server.data(`{task(id: "q-1") {events(${args}) {
        edges {cursor node {id}} pageInfo {hasNextPage hasPreviousPage startCursor endCursor} totalCount
      }}}`);
    const all = (await page('first: 1000')).task.events;
    expect(all.totalCount).toBe(all.edges.length);
    expect(all.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
    const first = (await page('first: 2')).task.events;
    const second = (await page(`first: 2, after: "${first.pageInfo.endCursor}"`)).task.events;
    expect([...first.edges, ...second.edges]).toEqual(all.edges.slice(0, 4));
    expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const back = (await page(`last: 2, before: "${second.pageInfo.startCursor}"`)).task.events;
    expect(back.edges).toEqual(first.edges);
    const newest = (await page('last: 1')).task.events;
    expect(newest.edges).toEqual(all.edges.slice(-1));
  });

  it('first: 0 is an empty page that says whether there is more', async () => {
    const { tasks } = await server.data(
      '{tasks(first: 0) {nodes {id} totalCount pageInfo {hasNextPage startCursor}}}',
    );
    expect(tasks).toEqual({
      nodes: [],
      totalCount: 2,
      pageInfo: { hasNextPage: true, startCursor: null },
    });
  });

  it('the total is counted only where it is selected, also through a fragment', async () => {
    const { tasks } = await server.data(
      '{tasks {...T}} fragment T on TaskConnection {... on TaskConnection {totalCount totalCountIsExact}}',
    );
    expect(tasks).toEqual({ totalCount: 2, totalCountIsExact: true });
  });

  it('events across tasks are those of the last 24 hours, by time, unless said otherwise', async () => {
    const messages = async (filter: string, more = ''): Promise<(string | null)[]> => {
      const found = await server.data(`{events(filter: {${filter}} ${more}) {nodes {message}}}`);
      return found.events.nodes.map(({ message }: { message: string | null }) => message);
    };
    const lines = 'kinds: [OUTPUT], hosts: ["web-1"]';
    expect(await messages(lines)).toEqual(['fetching too', 'fetching layer 7']);
    expect(await messages(`${lines}, from: ${NOW - 48 * HOUR}`)).toContain('long ago');
    expect(await messages(`${lines}, taskId: "q-2"`)).toEqual(['fetching too', 'long ago']);
    expect(await messages(`${lines}, taskId: "q-2"`, ', order: TIME')).toEqual([
      'long ago',
      'fetching too',
    ]);
  });

  it('around shows an event found by a search in the middle of its task’s log', async () => {
    const found = await server.data(
      '{events(filter: {search: "layer"}) {edges {cursor node {id taskId}}}}',
    );
    const { cursor, node } = found.events.edges[0];
    for (const order of ['LOG', 'TIME']) {
      const context = await server.data(
        `query ($id: ID!, $cursor: String!) {
          task(id: $id) {events(order: ${order}, first: 3, around: $cursor) {nodes {id message}}}
        }`,
        { id: node.taskId, cursor },
      );
      const { nodes } = context.task.events;
      expect(nodes).toHaveLength(3);
      expect(nodes[1]).toEqual({ id: node.id, message: 'fetching layer 7' });
    }
  });

  it('a list below a task, host or step is of that one, whatever else the filter says', async () => {
    const found = await server.data(`{
      task(id: "q-1") {runs(filter: {taskId: "q-1", hosts: ["web-1"]}) {nodes {hostName}}}
      host(name: "web-1") {runs {nodes {taskId}} reliability {runs failed}}
      steps(filter: {statuses: [FAILED]}) {nodes {events(filter: {kinds: [OUTPUT]}) {nodes {message}} lastLines {message}}}
    }`);
    expect(found.task.runs.nodes).toEqual([{ hostName: 'web-1' }]);
    expect(found.host.runs.nodes.map(({ taskId }: { taskId: string }) => taskId).sort()).toEqual([
      'q-1',
      'q-2',
    ]);
    expect(found.host.reliability).toEqual({ runs: 2, failed: 0 });
    expect(found.steps.nodes).toEqual([
      {
        events: { nodes: [{ message: 'no space left' }] },
        lastLines: [{ message: 'no space left' }],
      },
    ]);
  });

  it('statistics and histograms are flat lists', async () => {
    const found = await server.data(`{
      stepStats(filter: {}, groupBy: STEP_AND_SERVICE) {key step service count succeeded failed}
      eventHistogram(filter: {taskId: "q-1"}, buckets: 10) {total buckets {total byLevel {level count}}}
      failureGroups(filter: {environments: ["prod"]}) {count tasks}
      server {engine retentionDays eventCount}
    }`);
    expect(found.stepStats).toContainEqual(
      expect.objectContaining({ step: 'pull', service: 'shop', count: 2, succeeded: 1, failed: 1 }),
    );
    expect(found.eventHistogram.total).toBe(6);
    expect(found.failureGroups).toEqual([{ count: 1, tasks: ['q-1'] }]);
    expect(found.server).toEqual({ engine: engine.name, retentionDays: 30, eventCount: 10 });
  });

  it('a histogram over all of time begins and ends at dates that can be read back', async () => {
    const { eventHistogram } = await server.data(`{
      eventHistogram(filter: {from: "0000-01-01T00:00:00Z", to: "9999-12-31T00:00:00Z"}, buckets: 500) {
        total buckets {at}
      }
    }`);
    expect(eventHistogram.total).toBe(10);
    const times = eventHistogram.buckets.map(({ at }: { at: string }) => at);
    expect(times[0]).toBe('0000-01-01T00:00:00.000Z');
    const { eventHistogram: again } = await server.data(
      'query ($from: DateTime, $to: DateTime) {eventHistogram(filter: {from: $from, to: $to}) {total}}',
      { from: times[0], to: times.at(-1) },
    );
    expect(again.total).toBe(10);
  });

  const wrong: [string, string, string, string][] = [
    ['first below 0', 'tasks(first: -1) {totalCount}', 'BAD_INPUT', 'first'],
    ['first above the cap', 'tasks(first: 501) {totalCount}', 'BAD_INPUT', 'first'],
    [
      'last above the cap of events',
      'events(filter: {}, last: 1001) {totalCount}',
      'BAD_INPUT',
      'last',
    ],
    ['first and last together', 'hosts(first: 1, last: 1) {totalCount}', 'BAD_INPUT', 'last'],
    ['LOG without a task', 'events(filter: {}, order: LOG) {totalCount}', 'BAD_INPUT', 'order'],
    ['an empty name', 'events(filter: {steps: [""]}) {totalCount}', 'BAD_INPUT', 'filter.steps[0]'],
    [
      'a star within a name',
      'runs(filter: {hosts: ["a", "b*c"]}) {totalCount}',
      'BAD_INPUT',
      'filter.hosts[1]',
    ],
    [
      'attempt 0',
      'events(filter: {attempts: [0]}) {totalCount}',
      'BAD_INPUT',
      'filter.attempts[0]',
    ],
    ['an empty range', 'steps(filter: {from: 2, to: 2}) {totalCount}', 'BAD_INPUT', 'filter.to'],
    [
      'a negative duration',
      'steps(filter: {minDurationMs: -1}) {totalCount}',
      'BAD_INPUT',
      'filter.minDurationMs',
    ],
    [
      'a broken search',
      'tasks(filter: {search: "\\"x"}) {totalCount}',
      'SEARCH_SYNTAX',
      'filter.search',
    ],
    [
      'another task’s events',
      'task(id: "q-1") {events(filter: {taskId: "q-2"}) {totalCount}}',
      'BAD_INPUT',
      'filter.taskId',
    ],
    ['no buckets', 'eventHistogram(filter: {}, buckets: 0) {total}', 'BAD_INPUT', 'buckets'],
    ['no groups', 'failureGroups(filter: {}, first: 0) {count}', 'BAD_INPUT', 'first'],
    ['a cursor of nothing', 'tasks(after: "x") {totalCount}', 'CURSOR_INVALID', 'after'],
    [
      'around with after',
      'events(filter: {}, around: "WzEsImV2ZW50czpUSU1FIiwxLDIsM10", after: "WzEsImV2ZW50czpUSU1FIiwxLDIsM10") {totalCount}',
      'BAD_INPUT',
      'around',
    ],
  ];
  for (const [what, selection, code, field] of wrong) {
    it(`refuses ${what} and names the field`, async () => {
      const { errors } = await server.ask(`{${selection}}`);
      expect(errors.map(({ extensions }) => extensions)).toEqual([{ code, field }]);
    });
  }

  it('refuses more than 1,000 values in a list of a filter', async () => {
    const { errors } = await server.ask(
      'query ($filter: EventFilter!) {events(filter: $filter) {totalCount}}',
      { filter: { hosts: Array.from({ length: 1_001 }, (_, i) => `h${i}`) } },
    );
    expect(errors[0]?.extensions).toEqual({ code: 'BAD_INPUT', field: 'filter.hosts' });
  });

  it('refuses a cursor of another list', async () => {
    const { tasks } = await server.data('{tasks {edges {cursor}}}');
    const { errors } = await server.ask('query ($c: String) {hosts(after: $c) {totalCount}}', {
      c: tasks.edges[0].cursor,
    });
    expect(errors[0]?.extensions).toEqual({ code: 'CURSOR_MISMATCH', field: 'after' });
  });

  it('takes explicit nulls everywhere as absent', async () => {
    const { errors } = await server.ask(
      `query ($n: Int, $s: String, $f: EventFilter!, $t: TaskFilter, $o: TaskOrder, $e: EventOrder) {
        tasks(filter: $t, orderBy: $o, first: $n, after: $s, last: $n, before: $s) {totalCount}
        events(filter: $f, order: $e, first: $n, around: $s) {totalCount}
        eventHistogram(filter: $f, buckets: $n) {total}
        failureGroups(filter: {taskId: null, statuses: null}, first: $n) {count}
      }`,
      {
        ...{ n: null, s: null, o: null, e: null },
        t: { ids: null, search: null, from: null, labels: null },
        f: { taskId: null, hosts: null, search: null, from: null, to: null, minLevel: null },
      },
    );
    expect(errors).toEqual([]);
  });

  it('events dated far ahead are not the newest, and are found by their task or a range', async () => {
    const ahead = { taskId: 'q-2099', host: 'web-9', step: 'pull' };
    await server.report(
      { ...ahead, message: 'mad', at: '2099-01-01T00:00:00Z' },
      { ...ahead, message: 'a little ahead', at: NOW + 60_000 },
    );
    const found = await server.data(`{
      newest: events(filter: {hosts: ["web-9"]}, last: 2) {nodes {message}}
      later: events(filter: {hosts: ["web-9"], from: ${NOW + HOUR}}) {nodes {message}}
      task: events(filter: {taskId: "q-2099"}) {nodes {message}}
      eventHistogram(filter: {hosts: ["web-9"]}) {total intervalMs}
      mad: task(id: "q-2099") {run(host: "web-9") {step(name: "pull") {startedAt}}}
    }`);
    const messages = (list: { nodes: { message: string }[] }) =>
      list.nodes.map(({ message }) => message);
    expect(messages(found.newest)).toEqual(['a little ahead']);
    expect(messages(found.later)).toEqual(['mad']);
    expect(messages(found.task)).toEqual(['mad', 'a little ahead']);
    expect(found.eventHistogram.total).toBe(1);
    expect(found.eventHistogram.intervalMs).toBeLessThanOrEqual(HOUR);
    expect(found.mad.run.step.startedAt).toBe(new Date(NOW).toISOString());
  });
});

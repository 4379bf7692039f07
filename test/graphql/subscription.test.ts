/** Subscriptions through the pipeline; what the tail itself promises is tested with the tail. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isStream } from '../../src/graphql/operation/graphql.ts';
import type { ResultStream } from '../../src/graphql/operation/result-stream.ts';
import { describeOnEngines } from '../support/engines.ts';
import { type Data, next, startServer, type TestServer, viewerWith } from './server.ts';

describeOnEngines('subscriptions', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(await engine.open());
  });
  afterAll(() => server.close());

  const line = (taskId: string, message: string) => ({ taskId, host: 'h', step: 's', message });
  const TAIL = `subscription ($filter: EventFilter!, $after: String, $last: Int) {
    tail(filter: $filter, after: $after, last: $last) {
      events { message position task { id } highlights { start end } } cursor caughtUp gap { reason }
    }
  }`;

  /** Reads on until `enough`; heartbeats and batches are one to a reader. */
  async function read(stream: ResultStream, count: number): Promise<Data[]> {
    const events: Data[] = [];
    while (events.length < count) events.push(...(await next(stream)).tail.events);
    return events;
  }

  it('tail delivers what becomes durable, and resumes behind a page of events', async () => {
    await server.report(line('s-1', 'one'), line('s-1', 'two'));
    const page = await server.data(
      '{events(filter: {taskId: "s-1", search: "t*"}) {nodes {message} tailCursor}}',
    );
    expect(page.events.nodes).toEqual([{ message: 'two' }]);
    await server.report(line('s-1', 'three'), line('s-1', 'none'), line('s-1', 'two again'));
    const stream = await server.follow(TAIL, {
      filter: { taskId: 's-1', search: 't*' },
      after: page.events.tailCursor,
    });
    const [three, again] = await read(stream, 2);
    expect(three).toMatchObject({ message: 'three', highlights: [{ start: 0, end: 5 }] });
    expect(again.message).toBe('two again');
    await stream.return();
  });

  it('tail begins with the newest that are stored', async () => {
    await server.report(...['a', 'b', 'c'].map((message) => line('s-2', message)));
    const stream = await server.follow(TAIL, { filter: { taskId: 's-2' }, last: 2 });
    expect((await read(stream, 2)).map(({ message }) => message)).toEqual(['b', 'c']);
    await stream.return();
  });

  it('a wrong cursor or argument is an error before or at the first result, with its code', async () => {
    const both = await server.ask(TAIL, { filter: {}, after: 'x', last: 1 });
    expect(both.errors[0]?.extensions).toEqual({ code: 'BAD_INPUT', field: 'last' });
    const result = await server.run(TAIL, { filter: {}, after: 'nonsense' }, viewerWith('read'));
    const errors = isStream(result) ? (await result.next()).value?.errors : result.errors;
    expect(errors?.[0]?.extensions.code).toBe('CURSOR_INVALID');
    if (isStream(result)) expect(await result.next()).toEqual({ done: true, value: undefined });
  });

  it('cursors of pages and of streams that are given for each other are told from damaged ones', async () => {
    await server.report(line('s-cursor', 'one'));
    const { events, tasks } = await server.data(
      '{events(filter: {taskId: "s-cursor"}) {pageInfo {endCursor} tailCursor} tasks {pageInfo {endCursor}}}',
    );
    const code = async (source: string): Promise<unknown> =>
      (await server.ask(source)).errors[0]?.extensions;
    const mismatch = { code: 'CURSOR_MISMATCH', field: 'after' };
    const page = events.pageInfo.endCursor;
    expect(
      await code(`subscription {tail(filter: {taskId: "s-cursor"}, after: "${page}") {cursor}}`),
    ).toEqual(mismatch);
    expect(
      await code(`subscription {tasksChanged(after: "${tasks.pageInfo.endCursor}") {cursor}}`),
    ).toEqual(mismatch);
    expect(
      await code(`subscription {runsChanged(taskId: "s-cursor", after: "${page}") {cursor}}`),
    ).toEqual(mismatch);
    const list = (after: string) =>
      `{events(filter: {taskId: "s-cursor"}, after: "${after}") {totalCount}}`;
    expect(await code(list(events.tailCursor))).toEqual(mismatch);
    expect(await code(list(events.tailCursor.slice(1)))).toEqual({
      code: 'CURSOR_INVALID',
      field: 'after',
    });
  });

  it.each([
    ['an empty id', ''],
    ['one that is longer than ids of tasks are', 'x'.repeat(257)],
    ['one with half a surrogate pair', 'a\ud800'],
  ])('a task that cannot be is not waited for: %s', async (_, id) => {
    for (const [field, follow] of [
      ['id', 'taskChanged(id: $id) {id}'],
      ['taskId', 'runsChanged(taskId: $id) {cursor}'],
    ]) {
      const { errors } = await server.ask(`subscription ($id: ID!) {${follow}}`, { id });
      expect(errors[0]?.extensions).toEqual({ code: 'BAD_INPUT', field });
    }
  });

  it('return settles a waiting next at once', async () => {
    const stream = await server.follow(TAIL, { filter: { taskId: 'never' } });
    const first = await stream.next();
    expect(first.done).toBe(false);
    const waiting = stream.next();
    await stream.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('a batch whose execution failed is the last result, and a cursor before it brings what it held', async () => {
    const follow = (more: string, after: string | null = null) =>
      server.follow(
        `subscription ($after: String) {tasksChanged(after: $after) {cursor tasks {id ${more}}}}`,
        { after },
      );
    const before = await follow('');
    let { cursor } = (await next(before)).tasksChanged;
    await before.return();
    await server.report(line('s-failed', 'one'));
    // The groups are asked for as they cannot be, which only a batch with a task in it finds out.
    const stream = await follow('failureGroups(first: 0) {fingerprint}', cursor);
    let failed: unknown = null;
    for await (const result of stream) {
      if (failed !== null) throw new Error('it goes on past the batch that failed');
      if (result.errors === undefined) cursor = (result.data as Data).tasksChanged.cursor;
      else failed = result;
    }
    expect(failed).toMatchObject({ data: null, errors: [{ extensions: { code: 'BAD_INPUT' } }] });
    await expect.poll(() => server.tail.metrics().tail_subscriptions).toBe(0);
    const resumed = await follow('', cursor);
    const ids: unknown[] = [];
    while (!ids.includes('s-failed')) {
      ids.push(...(await next(resumed)).tasksChanged.tasks.map(({ id }: Data) => id));
    }
    await resumed.return();
  });

  it('identical subscriptions of a batch share one result and one text', async () => {
    const variables = { filter: { taskId: 's-3' } };
    const streams = [await server.follow(TAIL, variables), await server.follow(TAIL, variables)];
    const other = await server.follow(TAIL.replace('caughtUp', ''), variables);
    // The first batch of each says that it has caught up: from here on both follow live.
    for (const stream of [...streams, other]) expect((await next(stream)).tail.events).toEqual([]);
    await server.report(line('s-3', 'shared'));
    const results = await Promise.all(streams.map(async (stream) => (await stream.next()).value));
    expect(results[0]).toBe(results[1]);
    expect((await read(other, 1))[0].message).toBe('shared');
    for (const stream of [...streams, other]) await stream.return();
  });

  it('identical readers of a board share one result of the whole of it and of what changed', async () => {
    await server.report({ ...line('s-board', 'm'), status: 'RUNNING' });
    const watch = `subscription {runsChanged(taskId: "s-board") {
      snapshot {hosts cells} changed {hostName steps {status}} cursor
    }}`;
    const streams = [await server.follow(watch), await server.follow(watch)];
    const both = () => Promise.all(streams.map(async (stream) => (await stream.next()).value));
    const [whole, same] = await both();
    expect(whole).toBe(same);
    await server.report({ ...line('s-board', 'm'), status: 'FAILED' });
    const [changed, likewise] = await both();
    expect(changed).toBe(likewise);
    expect(changed?.data).toMatchObject({ runsChanged: { changed: [{ hostName: 'h' }] } });
    for (const stream of streams) await stream.return();
  });

  it('taskChanged gives the state first, then each change', async () => {
    await server.report({ ...line('s-4', 'm'), status: 'RUNNING' });
    const stream = await server.follow(
      'subscription {taskChanged(id: "s-4") {status runCounts {running failed}}}',
    );
    expect((await next(stream)).taskChanged).toEqual({
      status: 'RUNNING',
      runCounts: { running: 1, failed: 0 },
    });
    await server.report({ ...line('s-4', 'm'), status: 'FAILED' });
    let changed: Data;
    do changed = (await next(stream)).taskChanged;
    while (changed.runCounts.failed === 0);
    expect(changed.runCounts).toEqual({ running: 0, failed: 1 });
    await stream.return();
  });

  it('tasksChanged delivers a task that leaves the filter a last time', async () => {
    await server.report({ ...line('s-5', 'm'), status: 'RUNNING' });
    const stream = await server.follow(
      'subscription {tasksChanged(filter: {ids: ["s-5"], statuses: [RUNNING]}) {tasks {id status} cursor}}',
    );
    // The first batch says from where on changes are delivered.
    const seen = (await next(stream)).tasksChanged.tasks.map(({ status }: Data) => status);
    await server.data('mutation {finishTask(input: {id: "s-5", status: FAILED}) {task{id}}}');
    while (!seen.includes('FAILED')) {
      for (const task of (await next(stream)).tasksChanged.tasks) seen.push(task.status);
    }
    await stream.return();
  });

  it('runsChanged begins with the board and goes on with what changed', async () => {
    await server.data(
      'mutation {startTask(input: {id: "s-6", plan: ["s"], hosts: ["h", "i"]}) {created}}',
    );
    const stream = await server.follow(
      'subscription {runsChanged(taskId: "s-6") {snapshot {hosts steps cells} changed {hostName status}}}',
    );
    expect((await next(stream)).runsChanged.snapshot).toEqual({
      hosts: ['h', 'i'],
      steps: ['s'],
      cells: 'PP',
    });
    await server.report({ ...line('s-6', 'm'), status: 'SUCCEEDED' });
    let changed: Data[] = [];
    while (changed.length === 0) changed = (await next(stream)).runsChanged.changed;
    expect(changed).toEqual([{ hostName: 'h', status: 'SUCCEEDED' }]);
    await stream.return();
  });

  it('a board that was opened before its task began shows the plan that the task then declares', async () => {
    const stream = await server.follow(
      'subscription {runsChanged(taskId: "s-7") {snapshot {hosts steps cells}}}',
    );
    expect((await next(stream)).runsChanged.snapshot.steps).toHaveLength(7);
    await server.data(
      'mutation {startTask(input: {id: "s-7", plan: ["x", "y"], hosts: ["h"]}) {created}}',
    );
    let snapshot: Data = null;
    while (snapshot === null) snapshot = (await next(stream)).runsChanged.snapshot;
    expect(snapshot).toEqual({ hosts: ['h'], steps: ['x', 'y'], cells: 'PP' });
    await stream.return();
  });

  it('a tail behind any page in LOG order brings what follows the page, nothing twice', async () => {
    await server.report(...['a', 'b', 'c', 'd'].map((message) => line('s-8', message)));
    const { first, middle, newest } = await server.data(
      `{first: events(filter: {taskId: "s-8"}, first: 1) {tailCursor}
        middle: events(filter: {taskId: "s-8"}, first: 3) {tailCursor}
        newest: events(filter: {taskId: "s-8"}, last: 1) {tailCursor}}`,
    );
    await server.report(line('s-8', 'e'));
    for (const [page, expected] of [
      [first, ['b', 'c', 'd', 'e']],
      [middle, ['d', 'e']],
      [newest, ['e']],
    ]) {
      const filter = { taskId: 's-8' };
      const stream = await server.follow(TAIL, { filter, after: page.tailCursor });
      const events = await read(stream, expected.length);
      expect(events.map(({ message }) => message)).toEqual(expected);
      await stream.return();
    }
  });

  it('what a subscription does not declare, however deep, opens it like any other', async () => {
    let deep: unknown = 1;
    for (let level = 0; level < 20_000; level++) deep = [deep];
    const stream = await server.follow(TAIL, { filter: { taskId: 's-deep' }, other: deep });
    expect((await next(stream)).tail.events).toEqual([]);
    await stream.return();
    expect(server.tail.metrics()).toMatchObject({ tail_subscriptions: 0, tail_channels: 0 });
  });
});

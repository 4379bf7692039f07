/** What comes in: an acknowledgement means durable, a retry counts once, a bad event harms nobody. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LogEvent } from '../../src/domain/event/event.ts';
import { createRedactor } from '../../src/domain/redact/redact.ts';
import { markIdleTasks } from '../../src/ingest/idle.ts';
import { createIngest } from '../../src/ingest/ingest.ts';
import type { Log } from '../../src/log.ts';
import type { Store } from '../../src/store/store.ts';
import { difficultStore } from '../support/difficult-store.ts';
import { describeOnEngines, quietLog } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

describeOnEngines('ingest', (engine) => {
  let store: Store;
  let shiplog: Shiplog;
  const step = (taskId: string, fields: object = {}) => ({
    taskId,
    host: 'web-1',
    step: 'backup',
    message: 'hello',
    ...fields,
  });

  const declarations = async (taskId: string) => {
    const page = { limit: 50, backward: false, after: null, before: null, around: null };
    const [found] = await store.events([
      {
        filter: { taskId, kinds: ['TASK'] },
        order: 'LOG',
        page: { ...page, withTotal: false },
      },
    ]);
    return found?.rows.length;
  };

  beforeAll(async () => {
    store = await engine.open();
    shiplog = await startShiplog(store);
  });
  afterAll(() => shiplog.close());

  it('stores what is good of a batch and says of each other item which field is wrong', async () => {
    const outcomes = await shiplog.ingest.logSteps([
      step('mixed', { eventId: 'a' }),
      step('mixed', { host: '' }),
      step('mixed', { eventId: 'b', attempt: 0 }),
      step('mixed', { eventId: 'c' }),
      null,
      step('mixed', { misspelt: 1 }),
    ]);
    expect(outcomes.map(({ outcome, problem }) => [outcome, problem?.field ?? null])).toEqual([
      ['STORED', null],
      ['REJECTED', 'host'],
      ['REJECTED', 'attempt'],
      ['STORED', null],
      ['REJECTED', null],
      ['REJECTED', 'misspelt'],
    ]);
  });

  it('holds nothing of what was sent while the store writes, but the events made of it', async () => {
    const { promise: mayWrite, resolve: write } = Promise.withResolvers<void>();
    const slow: Store = Object.create(store, {
      append: { value: (events: LogEvent[]) => mayWrite.then(() => store.append(events)) },
    });
    const ingest = createIngest({
      ...{ store: slow, redactor: createRedactor(), publish: () => {}, now: Date.now },
      log: quietLog,
    });
    const begin = () => {
      const sent = step('let-go');
      return { sent: new WeakRef(sent), outcomes: ingest.logSteps([sent]) };
    };
    const { sent, outcomes } = begin();
    await nextTurn();
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    expect(sent.deref()).toBeUndefined();
    write();
    expect(await outcomes).toMatchObject([{ outcome: 'STORED' }]);
  });

  it('counts a retry once, by eventId or by writer and sequence, and says when it cannot know', async () => {
    const byId = step('retry', { eventId: 'x' });
    const byNumber = step('retry', { writer: 'w', sequence: 1 });
    const anonymous = step('retry');
    const twice = async (raw: object) => {
      const [first] = await shiplog.ingest.logSteps([raw]);
      const [second] = await shiplog.ingest.logSteps([raw]);
      return [first?.outcome, second?.outcome];
    };
    expect(await twice(byId)).toEqual(['STORED', 'DUPLICATE']);
    expect(await twice(byNumber)).toEqual(['STORED', 'DUPLICATE']);
    expect(await twice(anonymous)).toEqual(['STORED', 'STORED']);
  });

  it('stores no line of a private key, in one request or many, and takes its retry for one', async () => {
    const body = ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjHunter2Hunter2Hunter2xx', 'Hunter2Zz9='];
    const lines = [
      '-----BEGIN PRIVATE KEY-----',
      ...body,
      '-----END PRIVATE KEY-----',
      'the certificate is in place',
    ].map((message, at) => step('key', { message, eventId: `line-${at}`, source: 'agent' }));
    await shiplog.ingest.logSteps(lines.slice(0, 2));
    await shiplog.ingest.logSteps(lines.slice(2));
    const again = await shiplog.ingest.logSteps(lines.slice(2));
    expect(again.map(({ outcome }) => outcome)).toEqual(['DUPLICATE', 'DUPLICATE', 'DUPLICATE']);
    const page = { limit: 50, backward: false, after: null, before: null, around: null };
    const [found] = await store.events([
      { filter: { taskId: 'key' }, order: 'LOG', page: { ...page, withTotal: false } },
    ]);
    const messages = found?.rows.map(({ node }) => node.message);
    expect(messages).toHaveLength(5);
    expect(messages?.join('\n')).not.toContain('Hunter2');
    expect(messages?.at(-1)).toBe('the certificate is in place');
  });

  it('refuses an id that comes again with other content', async () => {
    await shiplog.ingest.logSteps([step('conflict', { eventId: 'x' })]);
    const [again] = await shiplog.ingest.logSteps([
      step('conflict', { eventId: 'x', message: 'something else' }),
    ]);
    expect(again).toMatchObject({ outcome: 'REJECTED', problem: { code: 'ID_CONFLICT' } });
  });

  it('creates a task once, however many say so at a time', async () => {
    const results = await Promise.all(
      Array.from({ length: 5 }, () => shiplog.ingest.startTask({ id: 'once', service: 'shop' })),
    );
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(await shiplog.ingest.startTask({ id: 'once', version: '2' })).toEqual({
      taskId: 'once',
      created: false,
    });
    const [task] = await store.tasksById(['once']);
    expect(task).toMatchObject({ service: 'shop', version: '2' });
  });

  it('says of a task that it began and that it ended, though nothing can be looked at then', async () => {
    const { store: away, difficulty } = difficultStore(store);
    const other = await startShiplog(away);
    difficulty.onStored = () => {
      difficulty.away = true;
    };
    expect(await other.ingest.startTask({ id: 'unseen' })).toMatchObject({ created: true });
    expect(difficulty.met.refused).toBeGreaterThan(0);
    difficulty.away = false;
    await other.ingest.finishTask({ id: 'unseen', status: 'FAILED' });
    difficulty.end();
    expect(await declarations('unseen')).toBe(2);
    await other.close();
  });

  it('writes no event for a declaration that is repeated, and takes it again once another came between', async () => {
    const declare = (title: string) => shiplog.ingest.startTask({ id: 'in-turn', title });
    const title = async () => (await store.tasksById(['in-turn']))[0]?.title;
    await declare('A');
    await declare('A');
    await declare('B');
    await declare('A');
    expect(await title()).toBe('A');
    expect(await declarations('in-turn')).toBe(3);
    // As an export has it.
    await shiplog.ingest.logSteps([{ taskId: 'in-turn', task: { change: 'began', title: 'C' } }]);
    await declare('A');
    expect(await title()).toBe('A');
    expect(await declarations('in-turn')).toBe(5);
  });

  it('refuses to declare again, in the same words, a task that retention has removed', async () => {
    let now = Date.parse('2026-03-01T12:00:00Z');
    const old = await engine.open({ retentionDays: 30, now: () => now });
    const server = await startShiplog(old, { now: () => now });
    expect(await server.ingest.startTask({ id: 'gone' })).toMatchObject({ created: true });
    expect(await server.ingest.finishTask({ id: 'gone' })).toEqual({ taskId: 'gone' });
    now += 40 * 86_400_000;
    expect(await old.applyRetention()).toMatchObject({ removedTasks: 1 });
    await expect(server.ingest.startTask({ id: 'gone' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      field: 'id',
    });
    await server.close();
  });

  // The embedded engine serves one server only.
  if (engine.name === 'elasticsearch') {
    it('takes a declaration again where another server took another one in between', async () => {
      const other = await startShiplog(store);
      const title = async () => (await store.tasksById(['two']))[0]?.title;
      await shiplog.ingest.startTask({ id: 'two', title: 'A' });
      await other.ingest.startTask({ id: 'two', title: 'B' });
      expect(await title()).toBe('B');
      await shiplog.ingest.startTask({ id: 'two', title: 'A' });
      expect(await title()).toBe('A');
      await shiplog.ingest.startTask({ id: 'two', title: 'A' });
      expect(await declarations('two')).toBe(3);
      await other.close();
    });
  }

  it('refuses to finish what nobody began, naming the field', async () => {
    await expect(shiplog.ingest.finishTask({ id: 'nobody-began-this' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      field: 'id',
    });
  });

  it('takes a silent task as over, and no longer once it speaks again', async () => {
    const [first] = await shiplog.ingest.logSteps([step('idle', { status: 'RUNNING' })]);
    await store.viewsReach(first?.position ? [first.position] : []);
    const { ingest } = shiplog;
    const inAnHour = () => Date.now() + 3_600_000;
    const options = { store, ingest, idleAfterMs: 60_000, log: quietLog, now: inAnHour };
    expect(await markIdleTasks(options)).toBeGreaterThan(0);
    const settled = async () => {
      const heads = await store.heads('idle');
      await store.viewsReach(heads);
      return (await store.tasksById(['idle']))[0];
    };
    expect(await settled()).toMatchObject({ over: true });
    expect(await markIdleTasks(options)).toBe(0);
    await shiplog.ingest.logSteps([step('idle', { status: 'SUCCEEDED' })]);
    expect(await settled()).toMatchObject({ over: false, status: 'RUNNING' });
  });

  it('tells the log of what it rejects, at a limited rate: which code, field, source, token and address', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = { warn: (line: object) => lines.push(line as Record<string, unknown>) };
    let clock = Date.now();
    const ingest = createIngest({
      store: shiplog.store,
      redactor: createRedactor(),
      publish: () => {},
      now: () => clock,
      log: log as unknown as Log,
    });
    const reporter = { tokenId: 'abc', address: '10.0.0.7' };
    const bad = {
      taskId: 'l',
      host: 'h',
      step: 's',
      message: 'secret',
      source: 'agent/1',
      date: 1,
    };
    await ingest.logSteps([bad, bad, bad], reporter);
    const line = { code: 'UNKNOWN_FIELD', field: 'date', source: 'agent/1', ...reporter };
    expect(lines).toEqual([{ ...line, events: 1 }]);
    clock += 61_000;
    await ingest.logSteps([bad], reporter);
    expect(lines).toEqual([
      { ...line, events: 1 },
      { ...line, events: 3 },
    ]);
    const many = Array.from({ length: 500 }, (_, i) => ({
      ...bad,
      [`field-${i}`]: 1,
      date: undefined,
    }));
    await ingest.logSteps(
      many.map(({ date: _, ...event }) => event),
      reporter,
    );
    expect(lines.length).toBeLessThan(30);
    expect(ingest.metrics()['ingest_rejected_total{code="UNKNOWN_FIELD"}']).toBe(504);
    await ingest.close();
  });

  it('ends silent tasks also behind five hundred whose mark is refused', async () => {
    const began = Date.now() - 7_200_000;
    let clock = began;
    const redactor = createRedactor({ enabled: true, keys: [] });
    const ingest = createIngest({
      store,
      redactor,
      publish: () => {},
      now: () => clock,
      log: quietLog,
    });
    // They have an event of the id that the mark would have.
    const stuck = Array.from({ length: 500 }, (_, i) =>
      step(`stuck-${i}`, { eventId: `idle-${began}` }),
    );
    await ingest.logSteps(stuck);
    clock++;
    const [last] = await ingest.logSteps([step('behind')]);
    await store.viewsReach(last?.position ? [last.position] : []);
    await store.viewsReach(await store.heads(null));
    const options = {
      store,
      ingest,
      idleAfterMs: 60_000,
      log: quietLog,
      now: () => began + 90_000,
    };
    const refused = new Map<string, number>();
    expect(await markIdleTasks(options, refused)).toBe(0);
    expect(await markIdleTasks(options, refused)).toBe(1);
    await store.viewsReach(await store.heads(null));
    expect((await store.tasksById(['behind']))[0]).toMatchObject({ over: true });
    expect(await markIdleTasks(options, refused)).toBe(0);
    await ingest.close();
  });

  it('keeps secrets from ever reaching the store', async () => {
    await shiplog.ingest.logSteps([
      step('secret', { message: 'login --password hunter2', params: { token: 'abc', user: 'me' } }),
    ]);
    const page = { limit: 1, backward: true, after: null, before: null, around: null };
    const [found] = await store.events([
      { filter: { taskId: 'secret' }, order: 'LOG', page: { ...page, withTotal: false } },
    ]);
    const event = found?.rows[0]?.node;
    expect(JSON.stringify(event)).not.toContain('hunter2');
    expect(event?.params).toEqual({ token: '[redacted]', user: 'me' });
  });
});

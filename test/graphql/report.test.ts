/** Reporting over GraphQL: what is stored, what is refused, and how a sender hears of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShiplogError } from '../../src/domain/errors.ts';
import { startEmbedded, type TestServer, viewerWith } from './server.ts';

const LOG_STEP = `mutation ($input: StepEventInput!) {
  logStep(input: $input) { eventId outcome position error { code message field } }
}`;
const LOG_STEPS = `mutation ($inputs: [StepEventInput!]!) {
  logSteps(inputs: $inputs) {
    stored duplicates rejected results { index eventId outcome error { code field } }
  }
}`;

describe('reporting', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startEmbedded();
  });
  afterAll(() => server.close());

  const event = (fields: object) => ({ taskId: 'r-1', host: 'web-1', step: 'backup', ...fields });

  it('logStep stores an event once, however often it is sent', async () => {
    const input = event({ eventId: 'e-1', status: 'RUNNING', at: '2026-01-31T09:30:00+08:00' });
    const first = await server.data(LOG_STEP, { input });
    expect(first.logStep).toEqual({
      eventId: 'e-1',
      outcome: 'STORED',
      position: expect.stringMatching(/:\d+$/),
      error: null,
    });
    const again = await server.data(LOG_STEP, { input });
    expect(again.logStep.outcome).toBe('DUPLICATE');
    const other = await server.data(LOG_STEP, { input: { ...input, status: 'FAILED' } });
    expect(other.logStep).toMatchObject({ outcome: 'REJECTED', error: { code: 'ID_CONFLICT' } });
  });

  it('refuses epoch seconds, and takes the lines of a host whose clock was never set', async () => {
    const at = (value: unknown) => event({ message: 'm', at: value, taskId: 'r-clock' });
    const times = [
      1_764_081_500,
      '1970-01-01T00:07:13Z',
      '0001-01-01T00:00:00Z',
      '2015-01-01T00:00:00Z',
    ];
    const { logSteps } = await server.data(LOG_STEPS, { inputs: times.map(at) });
    expect(logSteps).toMatchObject({ stored: 3, rejected: 1 });
    expect(logSteps.results[0].error).toEqual({ code: 'OUT_OF_RANGE', field: 'at' });
    const { events } = await server.data(
      '{events(filter: {taskId: "r-clock"}) {nodes {at receivedAt atReplaced}}}',
    );
    const replaced = events.nodes.map(
      (node: { at: string; receivedAt: string; atReplaced: boolean }) => [
        node.atReplaced,
        node.at === node.receivedAt,
      ],
    );
    expect(replaced).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
  });

  it('startTask and finishTask refuse epoch seconds, and name the field', async () => {
    for (const [mutation, type] of [
      ['startTask', 'StartTaskInput'],
      ['finishTask', 'FinishTaskInput'],
    ]) {
      const { errors } = await server.ask(
        `mutation ($input: ${type}!) { ${mutation}(input: $input) { task { id } } }`,
        { input: { id: 'r-seconds', at: 1_764_081_500 } },
      );
      expect(errors?.[0]?.extensions).toMatchObject({ field: 'input.at' });
      expect(errors?.[0]?.message).toContain('milliseconds');
    }
  });

  it('takes an explicit null for every optional field as absent', async () => {
    const names = ['eventId', 'attempt', 'status', 'at', 'writer', 'sequence', 'level', 'stream'];
    const others = ['command', 'params', 'exitCode', 'durationMs', 'progress', 'error', 'source'];
    const nulls = Object.fromEntries([...names, ...others, 'labels'].map((name) => [name, null]));
    const { logStep } = await server.data(LOG_STEP, { input: event({ ...nulls, message: 'm' }) });
    expect(logStep.outcome).toBe('STORED');
  });

  it('logSteps decides each event by itself and answers in order', async () => {
    const { logSteps } = await server.data(LOG_STEPS, {
      inputs: [
        event({ eventId: 'b-1', message: 'one' }),
        event({ eventId: 'b-2', exitCode: 2 ** 31 - 1, durationMs: -1 }),
        event({ eventId: 'b-1', message: 'one' }),
        event({ eventId: 'b-3', message: 'three' }),
      ],
    });
    expect(logSteps).toEqual({
      stored: 2,
      duplicates: 1,
      rejected: 1,
      results: [
        { index: 0, eventId: 'b-1', outcome: 'STORED', error: null },
        {
          index: 1,
          eventId: 'b-2',
          outcome: 'REJECTED',
          error: { code: 'OUT_OF_RANGE', field: 'durationMs' },
        },
        { index: 2, eventId: 'b-1', outcome: 'DUPLICATE', error: null },
        { index: 3, eventId: 'b-3', outcome: 'STORED', error: null },
      ],
    });
  });

  it('an empty batch is fine, and more than 1,000 events are refused whole', async () => {
    const empty = await server.data(LOG_STEPS, { inputs: [] });
    expect(empty.logSteps).toEqual({ stored: 0, duplicates: 0, rejected: 0, results: [] });
    const inputs = Array.from({ length: 1_001 }, () => event({ message: 'm' }));
    const { errors } = await server.ask(LOG_STEPS, { inputs });
    expect(errors[0]).toMatchObject({ extensions: { code: 'BAD_INPUT', field: 'inputs' } });
  });

  it('a value that its type cannot hold costs its own event only, and is told by its field', async () => {
    const bad: [Record<string, unknown>, string, string][] = [
      [{ at: '2026-11-25 14:37' }, 'INVALID_VALUE', 'at'],
      [{ at: 1e99 }, 'OUT_OF_RANGE', 'at'],
      [{ exitCode: 2 ** 32 }, 'OUT_OF_RANGE', 'exitCode'],
      [{ attempt: 3_000_000_000 }, 'OUT_OF_RANGE', 'attempt'],
      [{ sequence: 2 ** 40, writer: 'w' }, 'OUT_OF_RANGE', 'sequence'],
      [{ status: 'DONE' }, 'INVALID_VALUE', 'status'],
      [{ level: 'LOUD' }, 'INVALID_VALUE', 'level'],
      [{ durationMs: Infinity }, 'OUT_OF_RANGE', 'durationMs'],
      [{ progress: { done: Infinity } }, 'OUT_OF_RANGE', 'progress.done'],
    ];
    const inputs = bad.flatMap(([wrong]) => [
      event({ message: 'beside', ...wrong }),
      event({ message: 'good' }),
    ]);
    const { logSteps } = await server.data(LOG_STEPS, { inputs });
    expect(logSteps).toMatchObject({ stored: bad.length, rejected: bad.length });
    const told = (logSteps.results as { outcome: string; error: unknown }[])
      .filter(({ outcome }) => outcome === 'REJECTED')
      .map(({ error }) => error);
    expect(told).toEqual(bad.map(([, code, field]) => ({ code, field })));
    const { logStep } = await server.data(LOG_STEP, { input: event({ at: 'noon' }) });
    expect(logStep).toMatchObject({ outcome: 'REJECTED', error: { field: 'at' } });
  });

  it('an exit code of Windows is kept signed, unsigned as it was sent', async () => {
    const input = { taskId: 'r-win', host: 'h', step: 's', status: 'FAILED', exitCode: 3221225477 };
    await server.data(LOG_STEP, { input });
    const { events } = await server.data(
      '{ events(filter: { taskId: "r-win" }) { nodes { exitCode } } }',
    );
    expect(events.nodes).toEqual([{ exitCode: -1073741819 }]);
  });

  it('a value of a wrong type is refused whole, with the path', async () => {
    const { data, errors } = await server.ask(LOG_STEPS, {
      inputs: [event({ message: 'm' }), event({ attempt: 'two' })],
    });
    expect(data).toBeUndefined();
    expect(errors[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'inputs[1].attempt' });
    expect(errors[0]?.message).toContain('Int cannot represent non-integer value: "two"');
  });

  it('a misspelt field is refused, so that a retry is not counted twice', async () => {
    const { errors } = await server.ask(LOG_STEP, { input: event({ eventID: 'x', message: 'm' }) });
    expect(errors[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'input.eventID' });
    expect(errors[0]?.message).toMatch(/unknown field "eventID".*Did you mean "eventId"/);
  });

  it('a mistake in a literal is told by its field, as one in a variable is', async () => {
    const literals = [
      ['{taskId: "a", host: "h", step: "s", at: "noon"}', 'inputs[1].at'],
      ['{taskId: "a", host: "h", step: "s", error: {code: "c"}}', 'inputs[1].error.message'],
      ['{taskId: "a", host: "h", step: "s", mesage: "m"}', 'inputs[1].mesage'],
      ['{taskId: "a", host: "h", step: "s", attempt: "2"}', 'inputs[1].attempt'],
    ];
    const good = '{taskId: "a", host: "h", step: "s", message: "m"}';
    for (const [bad, field] of literals) {
      const { errors } = await server.ask(
        `mutation {logSteps(inputs: [${good}, ${bad}]) {stored}}`,
      );
      expect(errors[0]?.extensions).toEqual({ code: 'GRAPHQL_VALIDATION_FAILED', field });
      expect(errors[0]?.message.startsWith(`${field}: `)).toBe(true);
    }
    const { errors } = await server.ask(
      '{task(id: "t") {runs(filter: {from: 1e99}) {totalCount}}}',
    );
    expect(errors[0]?.extensions.field).toBe('filter.from');
    expect(errors[0]?.message).toContain('in the years 0000 to 9999');
  });

  it('an event that is refused is not quoted whole', async () => {
    const input = event({ message: 'x'.repeat(50_000), mesage: 'm' });
    const { errors } = await server.ask(LOG_STEP, { input });
    expect(errors[0]?.message.length).toBeLessThan(600);
  });

  it('startTask declares a task and finishTask ends it', async () => {
    const start = `mutation ($input: StartTaskInput!) {
      startTask(input: $input) { created task { id service plan expectedHosts status labels } }
    }`;
    const input = {
      id: 'r-2',
      service: 'shop',
      plan: ['a', 'b'],
      hosts: ['h1', 'h2'],
      labels: { n: 1 },
    };
    const first = await server.data(start, { input });
    expect(first.startTask).toEqual({
      created: true,
      task: {
        id: 'r-2',
        service: 'shop',
        plan: ['a', 'b'],
        expectedHosts: 2,
        status: 'PENDING',
        labels: { n: 1 },
      },
    });
    expect((await server.data(start, { input })).startTask.created).toBe(false);
    const finish = `mutation ($input: FinishTaskInput!) {
      finishTask(input: $input) { task { status message finishedAt } }
    }`;
    const ended = await server.data(finish, {
      input: { id: 'r-2', status: 'CANCELLED', message: 'not today', at: 1_800_000_000_000 },
    });
    expect(ended.finishTask.task).toMatchObject({ status: 'CANCELLED', message: 'not today' });
  });

  it('a host that no host can be called is left out of a declaration, and told; the rest is taken', async () => {
    const { startTask } = await server.data(
      `mutation ($input: StartTaskInput!) {
        startTask(input: $input) { leftOut { code field } task { expectedHosts hosts: runCounts { pending } } }
      }`,
      { input: { id: 'r-hosts', hosts: ['web-1', '', 'web-2', ' web-3', 'web-1'] } },
    );
    expect(startTask).toEqual({
      leftOut: [
        { code: 'INVALID_VALUE', field: 'hosts[1]' },
        { code: 'INVALID_VALUE', field: 'hosts[3]' },
      ],
      task: { expectedHosts: 2, hosts: { pending: 2 } },
    });
  });

  it('a bad declaration names the field from the argument on', async () => {
    const { errors } = await server.ask(
      'mutation {startTask(input: {id: "r-3", plan: ["a", "a"]}) {created}}',
    );
    expect(errors[0]?.extensions).toEqual({ code: 'BAD_INPUT', field: 'input.plan[1]' });
    const unknown = await server.ask('mutation {finishTask(input: {id: "nope"}) {task{id}}}');
    expect(unknown.errors[0]?.extensions).toEqual({ code: 'BAD_INPUT', field: 'input.id' });
  });
});

describe('faults', () => {
  it('an overloaded server says when to try again; an unforeseen fault is logged once and hidden', async () => {
    const server = await startEmbedded();
    const { ingest } = server;
    const faults = [
      new ShiplogError('OVERLOADED', 'the queue is full', { retryAfterMs: 250 }),
      new Error('password=hunter2 at db-1'),
    ];
    ingest.logSteps = () => Promise.reject(faults.shift());
    const input = { taskId: 't', host: 'h', step: 's', message: 'm' };
    const overloaded = await server.ask(LOG_STEP, { input }, viewerWith('ingest'));
    expect(overloaded.errors[0]).toMatchObject({
      message: 'the queue is full',
      extensions: { code: 'OVERLOADED', retryAfterMs: 250 },
    });
    expect(server.logged).toEqual([]);
    const unforeseen = await server.ask(LOG_STEP, { input }, viewerWith('ingest'));
    expect(JSON.stringify(unforeseen)).not.toContain('hunter2');
    const { code, requestId } = unforeseen.errors[0]?.extensions ?? {};
    expect(code).toBe('INTERNAL');
    expect(server.logged).toEqual([
      { requestId, path: 'logStep', err: expect.objectContaining({ message: expect.any(String) }) },
    ]);
    await server.close();
  });
});

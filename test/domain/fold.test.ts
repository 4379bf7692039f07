/** The fold promises: whatever order, repetition or grouping, the same task, run and host. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_PLAN, type LogEvent, type StoredEvent } from '../../src/domain/event/event.ts';
import {
  deriveRun,
  deriveTask,
  emptyRun,
  emptyTask,
  foldHost,
  foldRun,
  foldTask,
  type HostState,
  NO_RUNS,
  type RunState,
  type TaskState,
} from '../../src/domain/fold/fold.ts';

const T0 = Date.UTC(2026, 0, 1);

let counter = 0;
function event(fields: Partial<LogEvent> = {}, seq = ++counter): StoredEvent {
  const eventId = fields.eventId ?? `e${seq}`;
  const at = fields.at ?? T0 + seq;
  return {
    id: eventId,
    eventId,
    digest: '',
    kind: fields.task ? 'TASK' : fields.status ? 'STEP' : 'OUTPUT',
    taskId: 't',
    host: fields.task ? null : 'h',
    step: fields.task ? null : 'backup',
    attempt: fields.task ? null : 1,
    status: null,
    at,
    receivedAt: at,
    writer: null,
    sequence: null,
    service: null,
    environment: null,
    message: null,
    level: 'INFO',
    stream: null,
    command: null,
    params: null,
    exitCode: null,
    durationMs: null,
    progress: null,
    error: null,
    source: null,
    labels: {},
    task: null,
    position: { shard: '0', seq },
    ...fields,
  };
}

const SAYS_NOTHING = {
  service: null,
  version: null,
  environment: null,
  title: null,
  createdBy: null,
  plan: null,
  hosts: null,
  expectedHosts: null,
  labels: null,
  status: null,
  message: null,
  idleSince: null,
};
function began(said: Partial<NonNullable<LogEvent['task']>>, fields: Partial<LogEvent> = {}) {
  return event({ ...fields, task: { change: 'began', ...SAYS_NOTHING, ...said } });
}
function ended(said: Partial<NonNullable<LogEvent['task']>>, fields: Partial<LogEvent> = {}) {
  return event({ ...fields, task: { change: 'ended', ...SAYS_NOTHING, ...said } });
}

function run(events: StoredEvent[]): RunState {
  return events.reduce(foldRun, emptyRun('t', 'h'));
}
function task(events: StoredEvent[]): TaskState {
  return events.reduce(foldTask, emptyTask('t'));
}
function shownRun(events: StoredEvent[], over = false) {
  return deriveRun(run(events), task(events), over);
}
function stepOf(events: StoredEvent[], name = 'backup') {
  return shownRun(events).steps.find((step) => step.name === name);
}

const someEvent: fc.Arbitrary<Partial<LogEvent>> = fc.record({
  eventId: fc.uuid(),
  at: fc.integer({ min: T0, max: T0 + 50 }),
  receivedAt: fc.integer({ min: T0, max: T0 + 50 }),
  step: fc.constantFrom('backup', 'download', 'odd', '__proto__'),
  attempt: fc.integer({ min: 1, max: 3 }),
  status: fc.constantFrom(null, 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'),
  source: fc.constantFrom(null, 'agent/1', 'release-service'),
  exitCode: fc.constantFrom(null, 0, 1),
  durationMs: fc.constantFrom(null, 5, 9),
  message: fc.constantFrom(null, 'a', 'b'),
  labels: fc.constantFrom({}, { zone: 'a' }, { zone: 'b', rack: 1 }),
});
const taskEvent: fc.Arbitrary<StoredEvent> = fc
  .record({
    at: fc.integer({ min: T0, max: T0 + 20 }),
    eventId: fc.uuid(),
    change: fc.constantFrom('began' as const, 'ended' as const),
    service: fc.constantFrom(null, 'a', 'b'),
    labels: fc.constantFrom(null, { x: '1' }, { x: '2', y: true }),
    expectedHosts: fc.constantFrom(null, 1, 2),
  })
  .map(({ at, eventId, ...said }) => event({ at, eventId, task: { ...SAYS_NOTHING, ...said } }));
const history = fc
  .array(
    fc.oneof(
      someEvent.map((fields) => event(fields)),
      taskEvent,
    ),
    { maxLength: 25 },
  )
  .chain((events) =>
    fc.record({
      events: fc.constant(events),
      shuffled: fc.shuffledSubarray(events, { minLength: events.length }),
      repeated: fc.shuffledSubarray(events),
    }),
  );

describe('a fold gives the same, whatever way the events came', () => {
  it('permuted and repeated, a run is the same', () => {
    fc.assert(
      fc.property(history, ({ events, shuffled, repeated }) => {
        expect(run([...shuffled, ...repeated])).toEqual(run(events));
      }),
    );
  });

  it('permuted and repeated, a task is the same', () => {
    fc.assert(
      fc.property(history, ({ events, shuffled, repeated }) => {
        expect(task([...shuffled, ...repeated])).toEqual(task(events));
      }),
    );
  });

  it('permuted and repeated, a host is the same', () => {
    const host = (events: StoredEvent[]) => events.reduce<HostState | null>(foldHost, null);
    fc.assert(
      fc.property(history, ({ events, shuffled, repeated }) => {
        expect(host([...shuffled, ...repeated])).toEqual(host(events));
      }),
    );
  });

  it('said by two tasks under the same eventId in the same millisecond, a host is the same', () => {
    const host = (events: StoredEvent[]) => events.reduce<HostState | null>(foldHost, null);
    const said = (taskId: string, rack: string) =>
      event({
        id: `${taskId}/e`,
        eventId: 'e',
        taskId,
        at: T0,
        source: `agent/${rack}`,
        labels: { rack },
      });
    const [one, other] = [said('t-1', 'a'), said('t-2', 'b')];
    expect(host([one, other])).toEqual(host([other, one]));
  });

  it('stopped in the middle, written down as JSON and gone on with, a run is the same', () => {
    fc.assert(
      fc.property(history, fc.nat(25), ({ events, shuffled }, cut) => {
        const half = JSON.parse(JSON.stringify(run(shuffled.slice(0, cut)))) as RunState;
        expect(shuffled.slice(cut).reduce(foldRun, half)).toEqual(run(events));
      }),
    );
  });

  it('and what is shown is never a negative duration', () => {
    fc.assert(
      fc.property(history, ({ shuffled }) => {
        const view = shownRun(shuffled);
        for (const step of view.steps) expect(step.durationMs ?? 0).toBeGreaterThanOrEqual(0);
        expect(view.durationMs ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('a step', () => {
  it('is PENDING until something is heard of it, RUNNING with its first line', () => {
    expect(stepOf([])?.status).toBe('PENDING');
    expect(stepOf([event({ message: 'copying' })])?.status).toBe('RUNNING');
  });

  it('keeps its terminal status when RUNNING arrives late', () => {
    const events = [
      event({ status: 'SUCCEEDED', at: T0 + 100 }),
      event({ status: 'RUNNING', at: T0 + 50 }),
    ];
    expect(stepOf(events)).toMatchObject({
      status: 'SUCCEEDED',
      startedAt: T0 + 50,
      finishedAt: T0 + 100,
      durationMs: 50,
    });
  });

  it('takes the later of two terminal reports, and of equal times the greater event id', () => {
    const failed = event({ status: 'FAILED', at: T0 + 10, eventId: 'a' });
    expect(stepOf([event({ status: 'SUCCEEDED', at: T0 + 11 }), failed])?.status).toBe('SUCCEEDED');
    const same = event({ status: 'SUCCEEDED', at: T0 + 10, eventId: 'b' });
    expect(stepOf([same, failed])?.status).toBe('SUCCEEDED');
    expect(stepOf([failed, same])?.status).toBe('SUCCEEDED');
  });

  it('is not decided for ever by a clock in 2099', () => {
    const mad = event({ status: 'FAILED', at: Date.UTC(2099, 0), receivedAt: T0 + 10 });
    const sane = event({ status: 'SUCCEEDED', at: T0 + 20, receivedAt: T0 + 20 });
    expect(stepOf([mad, sane])?.status).toBe('SUCCEEDED');
    expect(stepOf([mad])?.finishedAt).toBe(T0 + 10);
  });

  it('has the duration of its reporter, else of two times of one source, else none', () => {
    const began = event({ status: 'RUNNING', at: T0, source: 'agent' });
    const own = event({ status: 'SUCCEEDED', at: T0 + 9, source: 'agent', durationMs: 4 });
    const agent = event({ status: 'SUCCEEDED', at: T0 + 9, source: 'agent' });
    const other = event({ status: 'SUCCEEDED', at: T0 + 9, source: 'release-service' });
    expect(stepOf([began, own])?.durationMs).toBe(4);
    expect(stepOf([began, agent])?.durationMs).toBe(9);
    expect(stepOf([began, other])?.durationMs).toBeNull();
  });

  it('shows its highest attempt and lists the others', () => {
    const step = stepOf([
      event({ status: 'FAILED', attempt: 1, exitCode: 1 }),
      event({ status: 'RUNNING', attempt: 2 }),
    ]);
    expect(step).toMatchObject({ status: 'RUNNING', attempt: 2, exitCode: null });
    expect(step?.attempts.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'FAILED'],
      [2, 'RUNNING'],
    ]);
  });

  it('outside the plan is shown behind the planned ones', () => {
    const plan = [...DEFAULT_PLAN];
    const view = shownRun([began({ plan }), event({ step: 'warm-up', status: 'RUNNING' })]);
    expect(view.steps.map(({ name }) => name)).toEqual([...plan, 'warm-up']);
    expect(view.steps.at(-1)?.index).toBeNull();
  });
});

describe('a run', () => {
  const all = (status: LogEvent['status']) => DEFAULT_PLAN.map((step) => event({ step, status }));

  it('SUCCEEDED when every planned step succeeded or was skipped', () => {
    expect(shownRun(all('SUCCEEDED')).status).toBe('SUCCEEDED');
    expect(shownRun([...all('SUCCEEDED').slice(1), event({ status: 'SKIPPED' })]).status).toBe(
      'SUCCEEDED',
    );
    expect(shownRun(all('SUCCEEDED').slice(1)).status).toBe('RUNNING');
  });

  it('FAILED when the highest attempt of a step failed, and no longer once it is tried again', () => {
    const failed = [event({ status: 'FAILED' })];
    expect(shownRun(failed)).toMatchObject({ status: 'FAILED', currentStep: 'backup' });
    expect(shownRun([...failed, event({ status: 'RUNNING', attempt: 2 })]).status).toBe('RUNNING');
  });

  it('that never started is NOT_RUN when the task is over, never succeeded', () => {
    expect(shownRun([], true).status).toBe('NOT_RUN');
    expect(shownRun([], true).steps.every(({ status }) => status === 'NOT_RUN')).toBe(true);
  });

  it('that stopped between two steps is CANCELLED when the task is over', () => {
    expect(shownRun([event({ status: 'SUCCEEDED' })], true).status).toBe('CANCELLED');
  });

  it('began with its first attempt, so that its times and its duration agree', () => {
    const said = (status: LogEvent['status'], seconds: number, attempt: number) =>
      event({ status, attempt, at: T0 + seconds * 1_000, source: 'agent' });
    const events = [
      said('RUNNING', 0, 1),
      said('FAILED', 15, 1),
      said('RUNNING', 20, 2),
      said('FAILED', 45, 2),
    ];
    const view = shownRun(events);
    expect(view).toMatchObject({ startedAt: T0, finishedAt: T0 + 45_000, durationMs: 45_000 });
    expect(view.steps[0]).toMatchObject({ startedAt: T0 + 20_000, durationMs: 25_000 });
    expect(view.steps[0]?.attempts[0]).toMatchObject({ startedAt: T0, durationMs: 15_000 });
  });

  it('that two reporters call failed has what either of them said', () => {
    const agent = event({ status: 'FAILED', at: T0 + 10, exitCode: 7, source: 'agent' });
    const service = event({ status: 'TIMED_OUT', at: T0 + 11, source: 'release-service' });
    expect(stepOf([service, agent])).toMatchObject({ status: 'TIMED_OUT', exitCode: 7 });
    const again = event({ status: 'SUCCEEDED', at: T0 + 12 });
    expect(stepOf([service, again, agent])).toMatchObject({ status: 'SUCCEEDED', exitCode: null });
  });

  it('is out of rotation between nginx-offline and nginx-online', () => {
    const offline = event({ step: 'nginx-offline', status: 'SUCCEEDED', at: T0 + 5 });
    const online = event({ step: 'nginx-online', status: 'SUCCEEDED', at: T0 + 9 });
    expect(shownRun([offline]).outOfRotationSince).toBe(T0 + 5);
    expect(shownRun([offline, online]).outOfRotationSince).toBeNull();
  });
});

describe('a task', () => {
  const totals = (fields: object) => ({ ...NO_RUNS, ...fields });

  it('merges two startTasks field by field, by time and not by arrival', () => {
    const first = began({ service: 'shop', version: '1', labels: { a: '1', b: '1' } });
    const second = began({ version: '2', labels: { b: '2' } });
    const view = deriveTask(task([second, first]), NO_RUNS);
    expect(view).toMatchObject({ service: 'shop', version: '2', labels: { a: '1', b: '2' } });
  });

  it('without a startTask begins with its first event and the seven standard steps', () => {
    const view = deriveTask(task([event({ status: 'RUNNING', at: T0 + 7 })]), totals({ total: 1 }));
    expect(view).toMatchObject({ status: 'RUNNING', createdAt: T0 + 7, plan: [...DEFAULT_PLAN] });
  });

  it('ends when all expected hosts ended, and not before, and not without knowing how many', () => {
    const known = task([began({ expectedHosts: 2 }), event({ status: 'RUNNING' })]);
    const unknown = task([event({ status: 'RUNNING' })]);
    const both = totals({ total: 2, succeeded: 1, failed: 1 });
    expect(deriveTask(known, totals({ total: 1, succeeded: 1 })).over).toBe(false);
    expect(deriveTask(known, both)).toMatchObject({ over: true, status: 'PARTIAL' });
    expect(deriveTask(unknown, both).over).toBe(false);
  });

  it('that declares nothing has the seven standard steps, as long as all it reports is among them', () => {
    const events = [
      event({ step: 'unpack', status: 'SUCCEEDED' }),
      event({ step: 'backup', status: 'SUCCEEDED' }),
    ];
    expect(deriveTask(task(events), NO_RUNS).plan).toEqual([...DEFAULT_PLAN]);
    expect(shownRun([...events, ended({})], true).status).toBe('CANCELLED');
  });

  it('that declares nothing and has steps of its own has those, in the order of first appearance', () => {
    const build = event({ step: 'build', status: 'SUCCEEDED', at: T0 + 30, receivedAt: T0 + 40 });
    const ship = event({ step: 'backup', status: 'SUCCEEDED', at: T0 + 20, receivedAt: T0 + 50 });
    const plan = ['backup', 'build'];
    expect(deriveTask(task([build, ship]), NO_RUNS).plan).toEqual(plan);
    expect(deriveTask(task([ship, build, build]), NO_RUNS).plan).toEqual(plan);
    const view = shownRun([build, ship]);
    expect(view.status).toBe('SUCCEEDED');
    expect(view.steps.map(({ name, index }) => [name, index])).toEqual([
      ['backup', 0],
      ['build', 1],
    ]);
    // Of one millisecond: the order in which they became durable.
    const same = ['zip', 'apply'].map((step) => event({ step, at: T0, receivedAt: T0 }));
    expect(deriveTask(task(same.reverse()), NO_RUNS).plan).toEqual(['zip', 'apply']);
  });

  it('that declares a plan late has that one', () => {
    const build = event({ step: 'build', status: 'SUCCEEDED' });
    const declared = began({ plan: ['build', 'ship'] });
    expect(deriveTask(task([build, declared]), NO_RUNS).plan).toEqual(['build', 'ship']);
  });

  it('whose steps are only those reported so far does not end by hosts that succeeded: more may come', () => {
    const known = task([
      began({ expectedHosts: 2 }),
      event({ step: 'build', status: 'SUCCEEDED' }),
    ]);
    expect(deriveTask(known, totals({ total: 2, succeeded: 2 })).over).toBe(false);
    expect(deriveTask(known, totals({ total: 2, failed: 2 }))).toMatchObject({ status: 'FAILED' });
    const finished = foldTask(known, ended({}));
    expect(deriveTask(finished, totals({ total: 2, succeeded: 2 })).status).toBe('SUCCEEDED');
  });

  it('has the status that finishTask says, else one derived from its runs', () => {
    const said = task([began({}), ended({ status: 'CANCELLED' })]);
    const silent = task([began({ expectedHosts: 3 }), ended({})]);
    expect(deriveTask(said, totals({ total: 1, succeeded: 1 })).status).toBe('CANCELLED');
    expect(deriveTask(silent, totals({ total: 3, succeeded: 3 })).status).toBe('SUCCEEDED');
    expect(deriveTask(silent, totals({ total: 2, succeeded: 2 })).status).toBe('PARTIAL');
    expect(deriveTask(silent, totals({ total: 3, failed: 3 })).status).toBe('FAILED');
    expect(deriveTask(silent, NO_RUNS).status).toBe('CANCELLED');
  });

  it('is idle only while nothing was received since', () => {
    const first = event({ status: 'RUNNING', at: T0 });
    const mark = event({
      at: T0 + 100,
      task: { ...SAYS_NOTHING, change: 'idle', idleSince: T0 },
    });
    const later = event({ message: 'still here', at: T0 + 200 });
    expect(deriveTask(task([first, mark]), totals({ total: 1, running: 1 })).over).toBe(true);
    expect(deriveTask(task([later, mark, first]), totals({ total: 1, running: 1 })).over).toBe(
      false,
    );
  });
});

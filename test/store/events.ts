/**
 * Events for tests: `anEvent` builds one, `aFleet` a whole seeded history with everything in it
 * that views and filters look at. The same seed gives the same events.
 */
import type {
  LogEvent,
  LogLevel,
  ReportedStepStatus,
  TaskChange,
} from '../../src/domain/event/event.ts';
import { DEFAULT_PLAN } from '../../src/domain/event/event.ts';
import { contentDigest, eventIdentity } from '../../src/domain/event/identity.ts';

/** A small generator of numbers in [0, 1) (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

let counter = 0;

/** An OUTPUT line of step `backup` on host `web-1` of task `t-1`, unless told otherwise. */
export function anEvent(fields: Partial<LogEvent> = {}): LogEvent {
  const eventId = fields.eventId ?? `e-${++counter}`;
  const taskId = fields.taskId ?? 't-1';
  const at = fields.at ?? 1_760_000_000_000;
  const event: LogEvent = {
    id: eventIdentity(taskId, eventId),
    eventId,
    digest: '',
    kind: 'OUTPUT',
    taskId,
    host: 'web-1',
    step: 'backup',
    attempt: 1,
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
    ...fields,
  };
  return { ...event, digest: fields.digest ?? contentDigest(JSON.stringify(event)) };
}

/** A STEP event: the step reports this status. */
export function aStatus(status: ReportedStepStatus, fields: Partial<LogEvent> = {}): LogEvent {
  return anEvent({ kind: 'STEP', status, ...fields });
}

/** A TASK event, such as startTask and finishTask write. */
export function aTaskEvent(
  change: Partial<TaskChange> & Pick<TaskChange, 'change'>,
  fields: Partial<LogEvent> = {},
): LogEvent {
  const task: TaskChange = {
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
    ...change,
  };
  return anEvent({ kind: 'TASK', host: null, step: null, attempt: null, task, ...fields });
}

export interface FleetOptions {
  seed: number;
  tasks: number;
  hosts: number;
  /** When the first task begins, epoch ms. */
  start: number;
  failRate: number;
  /** Lines of output of each step. */
  lines: number;
}

const WORDS = 'copied verified connection refused timeout archive 连接超时 Größe 10.0.0.7'.split(
  ' ',
);
const SERVICES = ['checkout', 'search', null];
const ENVIRONMENTS = ['prod', 'staging', null];

/** A history of deployments, in the order in which it is received. */
export function aFleet(options: Partial<FleetOptions> = {}): LogEvent[] {
  const fleet: FleetOptions = {
    seed: 1,
    tasks: 4,
    hosts: 5,
    start: 1_760_000_000_000,
    failRate: 0.1,
    lines: 3,
    ...options,
  };
  const random = randomOf(fleet.seed);
  return Array.from({ length: fleet.tasks }, (_, index) => aDeployment(fleet, random, index))
    .flat()
    .sort((a, b) => a.receivedAt - b.receivedAt);
}

function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}

function aDeployment(fleet: FleetOptions, random: () => number, index: number): LogEvent[] {
  const taskId = `deploy-${fleet.seed}-${index}`;
  const start = fleet.start + index * 90_000;
  const events: LogEvent[] = [];
  if (index % 4 !== 3) {
    events.push(
      aTaskEvent(
        {
          change: 'began',
          service: SERVICES[index % 3] ?? null,
          environment: ENVIRONMENTS[(index + 1) % 3] ?? null,
          version: `1.${index}.0`,
          title: `Release ${index}`,
          createdBy: index % 2 === 0 ? 'ada' : null,
          labels: { ring: index % 2, team: 'web' },
          expectedHosts: index % 3 === 0 ? fleet.hosts : null,
          plan: index % 5 === 4 ? ['download', 'restart'] : null,
        },
        { taskId, eventId: 'began', at: start, receivedAt: start },
      ),
    );
  }
  let end = start;
  for (let host = 0; host < fleet.hosts; host++) {
    const run = aRun(
      fleet,
      random,
      taskId,
      `web-${host + 1}`,
      start + Math.floor(random() * 5_000),
    );
    events.push(...run);
    end = Math.max(end, ...run.map(({ receivedAt }) => receivedAt));
  }
  if (index % 2 === 0) {
    const at = end + 1_000;
    const ended = { change: 'ended', message: 'done' } as const;
    events.push(aTaskEvent(ended, { taskId, eventId: 'ended', at, receivedAt: at }));
  }
  return events;
}

function aRun(
  fleet: FleetOptions,
  random: () => number,
  taskId: string,
  host: string,
  start: number,
): LogEvent[] {
  const events: LogEvent[] = [];
  const writer = `agent-${host}`;
  let now = start;
  let sequence = 0;
  const say = (fields: Partial<LogEvent>) => {
    now += 1 + Math.floor(random() * 400);
    const skew = Math.floor(random() * 3) - 1;
    sequence++;
    events.push(
      anEvent({
        taskId,
        host,
        writer,
        sequence,
        eventId: `${host}-${sequence}`,
        at: now + skew * 50,
        receivedAt: now,
        source: host.endsWith('2') ? 'agent/2.0' : 'agent/1.4',
        labels: random() < 0.3 ? { rack: `r${Math.floor(random() * 3)}`, hot: true } : {},
        ...fields,
      }),
    );
    // Some numbers are used but never arrive.
    if (random() < 0.02) sequence++;
  };
  for (const step of DEFAULT_PLAN) {
    const failed = random() < fleet.failRate;
    const attempts = failed && random() < 0.5 ? 2 : 1;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const good = !failed || attempt === 2;
      aStep(fleet, random, say, { step, attempt }, good);
      if (!good && attempt === attempts) return events;
    }
    if (random() < 0.03) return events;
  }
  return events;
}

function aStep(
  fleet: FleetOptions,
  random: () => number,
  say: (fields: Partial<LogEvent>) => void,
  place: { step: string; attempt: number },
  good: boolean,
): void {
  const command = `deploy ${place.step} --retry=${place.attempt}`;
  say({ ...place, kind: 'STEP', status: 'RUNNING', command, params: { retry: place.attempt } });
  for (let line = 0; line < fleet.lines; line++) {
    const level: LogLevel = pick(random, ['DEBUG', 'INFO', 'INFO', 'WARN', 'ERROR']);
    const message = `${pick(random, WORDS)} ${pick(random, WORDS)} line ${line}`;
    say({ ...place, level, message, stream: level === 'ERROR' ? 'STDERR' : 'STDOUT' });
  }
  if (random() < 0.5) {
    say({ ...place, kind: 'PROGRESS', progress: { done: 5, total: 10, unit: 'MiB' } });
  }
  const durationMs = random() < 0.5 ? Math.floor(random() * 3_000) : null;
  if (good) {
    const status = random() < 0.1 ? 'SKIPPED' : 'SUCCEEDED';
    say({ ...place, kind: 'STEP', status, exitCode: 0, durationMs });
  } else {
    const cause = pick(random, ['disk full on /dev/sda1', 'connection to 10.0.0.9:443 refused']);
    const status = random() < 0.2 ? 'TIMED_OUT' : 'FAILED';
    const error = { code: random() < 0.5 ? 'E_IO' : null, message: cause };
    say({ ...place, kind: 'STEP', status, level: 'ERROR', exitCode: 1, error, durationMs });
  }
}

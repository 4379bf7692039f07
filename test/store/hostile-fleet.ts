/**
 * Deployments with everything in them that two engines could take differently: names in other
 * scripts, equal milliseconds, clocks that are off, numbers used twice, colours, long texts. The
 * same seed gives the same events.
 */
import type { LogEvent, LogLevel, ReportedStepStatus } from '../../src/domain/event/event.ts';
import { anEvent, aTaskEvent, randomOf } from './events.ts';

export const START = 1_760_000_000_000;
export const DAY_MS = 86_400_000;

export const TASKS = [
  'a,b,c',
  'a',
  '任务-1',
  '🚀 "launch"',
  "o'neil\\x",
  'deploy/2025 #1?&',
  'Straße',
  'strasse',
  '～wide',
];
export const HOSTS = [
  'web-1',
  'web-2',
  'db,1',
  '主机 1',
  `h"q's`,
  '～host',
  '🎉-host',
  'Ärger',
  'ärger',
];
export const STEPS = [
  'download',
  'restart',
  '脚本 步骤',
  '🎉 done',
  '～wide',
  '"quoted" step',
  'a b',
  'a',
];
export const SERVICES = ['checkout', 'b c', 'c', 'Größe', '决策,支付', null];
export const MANY = 'many';

const ENVIRONMENTS = ['prod', 'Prod', 'b c', null];
const SOURCES = ['agent/1.4', 'agent/2.0 beta', '代理', null];
const TEXTS = [
  'connection to 10.0.0.7:443 refused',
  'CONNECTION Größe GRÖSSE straße STRASSE İstanbul ﬁle',
  '连接超时 after 30s',
  '\u001b[31mError:\u001b[0m disk \u001b[1mfull\u001b[0m on /dev/sda1',
  '🎉 done in 3.5s 👩‍👩‍👧',
  'e\u0301clair éclair ECLAIR',
  'it\'s [50%] <b>done</b> a_b a-b a.b \\ | " ',
  'line\u2028separator\ttab',
  '',
];
const ERRORS = [
  { code: 'E_IO', message: 'disk full on /dev/sda1' },
  { code: null, message: 'connection to 10.0.0.9:443 refused' },
  { code: '错误', message: '连接超时' },
];
const LABELS: LogEvent['labels'][] = [
  {},
  { rack: 'r1', hot: true },
  { rack: 'R1', hot: 'true', 'a.b': 1 },
  { ratio: 0.1, huge: 1e21, 键: '值,1' },
  { 'a.b': '1', "q'": '"' },
];
/** Mostly right; else a clock that is behind, ahead, or says 1970. */
const CLOCKS = [0, 0, 0, 0, -90_000, 3_600_000, -3 * DAY_MS, 400 * DAY_MS];
const LEVELS: LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const ENDS: ReportedStepStatus[] = [
  ...(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SKIPPED'] as const),
  ...(['FAILED', 'TIMED_OUT', 'CANCELLED'] as const),
];

/** What is received on one day; the receiver's clock stands at `now` meanwhile. */
export interface Batch {
  now: number;
  events: LogEvent[];
}

export function aHostileFleet(seed: number, days = 3): Batch[] {
  const random = randomOf(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const writers = new Map<string, number>();
  let count = 0;

  function numbered(host: string): Pick<LogEvent, 'writer' | 'sequence'> {
    if (random() < 0.1) return { writer: null, sequence: null };
    const writer = pick(['agent', '写-1']);
    const last = writers.get(`${host} ${writer}`) ?? 0;
    // Some numbers are left out, some used again.
    const sequence = Math.max(1, last + pick([1, 1, 1, 1, 1, 1, 0, 2, 3]));
    writers.set(`${host} ${writer}`, sequence);
    return random() < 0.05 ? { writer, sequence: null } : { writer, sequence };
  }

  function said(taskId: string, now: number): LogEvent {
    return aTaskEvent(
      {
        change: 'began',
        service: pick(SERVICES),
        environment: pick(ENVIRONMENTS),
        version: pick(['1.2.0', '1.10.0', null]),
        title: pick(['Release Größe', '发布 7', null]),
        createdBy: pick(['ada', 'Ada', 'gräfin', null]),
        labels: pick(LABELS),
        plan: pick([['download', 'restart'], ['～wide', '🎉 done', 'a'], null]),
        hosts: pick([['planned-1', ...HOSTS.slice(0, 3)], null]),
        expectedHosts: pick([3, null]),
      },
      { taskId, eventId: `began-${count++}`, at: now + pick(CLOCKS), receivedAt: now },
    );
  }

  function reported(taskId: string, now: number): LogEvent[] {
    const host = pick(HOSTS);
    const place = { taskId, host, step: pick(STEPS), attempt: pick([1, 1, 1, 2, 3]) };
    const say = (fields: Partial<LogEvent>): LogEvent => {
      // Equal moments, in one task and over several.
      const receivedAt = now + Math.floor(count / 4) * 10;
      return anEvent({
        ...place,
        ...numbered(`${taskId} ${host}`),
        eventId: `e-${count++}`,
        at: receivedAt + pick(CLOCKS),
        receivedAt,
        source: pick(SOURCES),
        labels: pick(LABELS),
        level: pick(LEVELS),
        message: pick(TEXTS),
        ...fields,
      });
    };
    const events = [say({ kind: 'STEP', status: 'RUNNING', command: `deploy ${pick(TEXTS)}` })];
    const lines = Math.floor(random() * 4);
    for (let n = 0; n < lines; n++) {
      const long = random() < 0.03 ? ` ${'长 long '.repeat(2_000)}` : '';
      const stream = pick(['STDOUT', 'STDERR', null] as const);
      events.push(say({ message: `${pick(TEXTS)} ${n}${long}`, stream }));
    }
    if (random() < 0.3) {
      events.push(say({ kind: 'PROGRESS', progress: { done: 0.5, total: 7, unit: 'MiB' } }));
    }
    if (random() < 0.85) events.push(say(anEnd()));
    return events;
  }

  function anEnd(): Partial<LogEvent> {
    const status = pick(ENDS);
    const failed = status === 'FAILED' || status === 'TIMED_OUT';
    return {
      kind: 'STEP',
      status,
      exitCode: pick([0, 1, -9, null]),
      error: failed ? pick(ERRORS) : null,
      durationMs: pick([null, 0, 0.4, 12.5, 700, 700, Math.floor(random() * 90_000)]),
    };
  }

  const batches: Batch[] = [];
  for (let day = 0; day < days; day++) {
    const now = START + day * DAY_MS + 7_000;
    // The third part of the tasks begins on each day, and those before go on.
    const tasks = TASKS.filter((_, i) => i % days <= day);
    const events = tasks.flatMap((taskId, i) => [
      ...(i % 4 === 3 ? [] : [said(taskId, now)]),
      ...Array.from({ length: 9 }, () => reported(taskId, now)).flat(),
    ]);
    if (day === days - 1) {
      for (const taskId of TASKS.slice(0, 4)) {
        const ended = { change: 'ended', message: '完' } as const;
        events.push(aTaskEvent(ended, { taskId, eventId: 'ended', at: now, receivedAt: now }));
      }
      events.push(...manyDurations());
    }
    batches.push({ now, events: shuffledABit(events) });
  }
  return batches;

  /** So many that no engine keeps them all at hand: two humps and a long tail, with fractions. */
  function manyDurations(): LogEvent[] {
    return Array.from({ length: 720 }, (_, i) => {
      const hump = random() < 0.5 ? 2_000 : 40_000;
      const durationMs = hump * Math.exp(random() + random() - 1) + (i % 100 === 0 ? 5e6 : 0);
      return anEvent({
        ...{ kind: 'STEP', status: 'SUCCEEDED', taskId: MANY, host: `m-${i}`, eventId: `m-${i}` },
        ...{ step: i % 9 === 0 ? 'seldom' : 'often', at: START - 10 * DAY_MS + i, durationMs },
      });
    });
  }

  /** Neighbours change places, as between agents. */
  function shuffledABit(events: LogEvent[]): LogEvent[] {
    return events
      .map((event, i) => ({ event, place: i + random() * 30 }))
      .sort((a, b) => a.place - b.place)
      .map(({ event }) => event);
  }
}

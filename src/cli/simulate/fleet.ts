/**
 * The events of a simulated fleet, in the order of their time. Pure: the same plan and clock give
 * the same events with the same ids, so a repeated simulation is a retry of the first.
 */
import type { StepEventInput } from '../gen/graphql.ts';
import { mergeByTime, type Timed } from './merge.ts';
import type { FleetPlan, PlannedAttempt, PlannedHost } from './plan.ts';
import { Random } from './random.ts';

export interface TimedEvent extends Timed {
  input: StepEventInput;
}

export interface FleetClock {
  /** When the task begins: epoch milliseconds. */
  startAt: number;
  /** How many times faster than life the fleet works. */
  speed: number;
}

const PROGRESS_POINTS = [0.2, 0.45, 0.7, 0.9];

/** Ordered by `atMs`, which counts from the task's beginning at the speed of life. */
export function fleetEvents(plan: FleetPlan, clock: FleetClock): Generator<TimedEvent> {
  return mergeByTime(
    plan.hosts.map((host) => ({
      startMs: host.startMs,
      open: () => hostEvents(host, plan, clock),
    })),
  );
}

function* hostEvents(host: PlannedHost, plan: FleetPlan, clock: FleetClock): Generator<TimedEvent> {
  const { taskId, seed, fleet = taskId, lines } = plan.options;
  const random = new Random(`${seed}/${fleet}/${host.name}/events`);
  let sequence = 0;
  for (const planned of host.attempts) {
    for (const { atMs, ...said } of attemptEvents(planned, host, clock.speed, lines, random)) {
      sequence++;
      const input: StepEventInput = {
        eventId: `${host.writer}.${sequence}`,
        taskId,
        host: host.name,
        step: planned.script.step,
        attempt: planned.attempt,
        at: new Date(clock.startAt + atMs / clock.speed).toISOString(),
        writer: host.writer,
        sequence,
        source: 'agent/1.4.2',
        ...said,
      };
      // Labels are kept per host: once is enough.
      if (sequence === 1) input.labels = { zone: host.zone };
      yield { atMs, input };
    }
  }
}

type Said = Omit<StepEventInput, 'taskId' | 'host' | 'step'> & Timed;

function* attemptEvents(
  { script, startMs, durationMs, cause }: PlannedAttempt,
  { context }: PlannedHost,
  speed: number,
  medianLines: number,
  random: Random,
): Generator<Said> {
  const command = script.command(context);
  yield { atMs: startMs, status: 'RUNNING', command, params: script.params(context) };
  yield* outputAndProgress();
  const end = { atMs: startMs + durationMs, durationMs: Math.round(durationMs / speed) };
  if (cause === null) {
    yield { ...end, status: 'SUCCEEDED', exitCode: 0 };
    return;
  }
  const { error, lines } = cause.describe(context, random);
  for (const [index, message] of lines.entries()) {
    const before = (lines.length - index) * Math.min(40, durationMs / 50);
    yield { atMs: end.atMs - before, message, level: 'ERROR', stream: 'STDERR' };
  }
  const { code, message } = error;
  const reason = code === null ? { message } : { code, message };
  yield { ...end, status: cause.status, exitCode: cause.exitCode, error: reason };

  /** Within the first nine tenths; what a failure prints follows. */
  function* outputAndProgress(): Generator<Said> {
    // What fails does not first say that all is well: it stops half-way.
    const share = cause === null ? 1 : 0.5;
    const printed = script.lines.slice(0, Math.max(1, Math.floor(script.lines.length * share)));
    const wanted = random.logNormal(medianLines, 0.3) * share;
    const count = medianLines === 0 ? 0 : Math.max(1, Math.round(wanted));
    const points: Said[] = [];
    for (let i = 0; i < count; i++) {
      // In their order: nothing is started again, however many lines there are.
      const turn = Math.floor((i * printed.length) / count);
      const print = printed[turn] as (typeof printed)[number];
      const atMs = startMs + durationMs * 0.9 * ((i + random.fraction()) / count);
      points.push({ atMs, message: print(context, random), level: 'INFO', stream: 'STDOUT' });
    }
    if (script.step === 'download') {
      for (const part of PROGRESS_POINTS) {
        const done = Math.round(context.bytes * part);
        const atMs = startMs + durationMs * 0.9 * part;
        points.push({ atMs, progress: { done, total: context.bytes, unit: 'bytes' } });
      }
    }
    yield* points.sort((a, b) => a.atMs - b.atMs);
  }
}

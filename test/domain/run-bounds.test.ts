/** A run's state is bounded in bytes, and what is cut does not depend on what came first. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogEvent, StoredEvent } from '../../src/domain/event/event.ts';
import {
  deriveRun,
  emptyRun,
  emptyTask,
  foldRun,
  foldTask,
  type RunState,
} from '../../src/domain/fold/fold.ts';
import { cutParams, cutText, runBounds } from '../../src/domain/fold/run-bounds.ts';
import { anEvent, aStatus } from '../store/events.ts';

const T0 = Date.UTC(2026, 0, 1);
const MIB = 1_048_576;

let seq = 0;
function stored(event: LogEvent): StoredEvent {
  return { ...event, taskId: 't', host: 'h', position: { shard: '0', seq: ++seq } };
}
function run(events: readonly StoredEvent[]): RunState {
  return events.reduce(foldRun, emptyRun('t', 'h'));
}
function bytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

const ENDS = ['SUCCEEDED', 'SKIPPED', 'FAILED', 'TIMED_OUT', 'CANCELLED'] as const;

/** As heavy as its sender may make it. */
function heaviest(step: string, attempt: number, i: number): StoredEvent[] {
  const wide = (length: number) => `${i}`.padEnd(length, '界');
  const fields = {
    digest: '',
    step,
    attempt,
    at: T0 + i * 1_000,
    command: '\u0001'.repeat(6_000),
    params: Object.fromEntries(Array.from({ length: 15 }, (_, key) => [key, 'x'.repeat(1_000)])),
    progress: { done: 1.2345678901234567e100, total: 1.2345678901234567e101, unit: wide(64) },
    source: wide(128),
    durationMs: 123_456.789_012_345,
    exitCode: -2_147_483_648,
    error: { code: wide(256), message: wide(9_000) },
    message: wide(1_100),
  };
  return ['RUNNING' as const, ...ENDS].map((status, n) =>
    stored(aStatus(status, { ...fields, at: fields.at + n, eventId: `${n}${wide(127)}` })),
  );
}

describe('the state of a run', () => {
  it.each([
    [3, 100],
    [7, 40],
    [14, 20],
    [28, 10],
    [50, 6],
    [100, 4],
    [250, 2],
    [500, 2],
    [510, 1],
  ])('with %i steps of %i attempts, all as heavy as can be, is below a MiB', (steps, attempts) => {
    let state = emptyRun('t', 'h');
    for (let step = 0; step < steps; step++) {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const name = `${step}`.padEnd(128, '界');
        state = heaviest(name, attempt, step * attempts + attempt).reduce(foldRun, state);
      }
    }
    expect(bytes(state)).toBeLessThan(0.95 * MIB);
  });

  it('that 131,000 sources report is as small, derived without fault, and knows its duration', () => {
    let state = emptyRun('t', 'h');
    for (let i = 0; i < 131_000; i++) {
      const step = `s${i % 27}`;
      const attempt = 1 + (i % 100);
      const fields = { step, attempt, at: T0 + i, source: `source-${i}`, digest: '' };
      state = foldRun(state, stored(anEvent(fields)));
    }
    expect(bytes(state)).toBeLessThan(MIB / 4);
    expect(deriveRun(state, emptyTask('t'), false)).toMatchObject({ startedAt: T0 });
  });

  it('knows when a run began by attempts that it no longer lists', () => {
    const events = Array.from({ length: 150 }, (_, i) =>
      stored(aStatus('FAILED', { step: 'backup', attempt: i + 1, at: T0 + i, source: 'a' })),
    );
    const view = deriveRun(run(events), emptyTask('t'), false);
    expect(view.steps[0]?.attempts.map(({ attempt }) => attempt)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 51),
    );
    expect(view).toMatchObject({ startedAt: T0, finishedAt: T0 + 149, durationMs: 149 });
  });

  it('keeps the command of the highest attempt and the errors of the last three', () => {
    const events = [1, 2, 3, 4].map((attempt) =>
      stored(
        aStatus('FAILED', {
          step: 'backup',
          attempt,
          command: `try ${attempt}`,
          error: { code: null, message: `no ${attempt}` },
        }),
      ),
    );
    const [step] = deriveRun(run(events), emptyTask('t'), false).steps;
    expect(step?.command).toBe('try 4');
    expect(step?.attempts.map(({ error }) => error?.message ?? null)).toEqual([
      null,
      'no 2',
      'no 3',
      'no 4',
    ]);
  });

  it('cuts a long command with a mark where a run has many steps, and tells a failure by its beginning', () => {
    const command = `tar ${'x'.repeat(32_000)}`;
    const message = `disk full ${'x'.repeat(60_000)}`;
    const failed = stored(aStatus('FAILED', { step: 'backup', command, message }));
    const others = Array.from({ length: 9 }, (_, i) =>
      stored(aStatus('RUNNING', { step: `s${i}` })),
    );
    const alone = deriveRun(run([failed]), emptyTask('t'), false).steps[0];
    expect(alone?.command).toBe(command);
    const [step] = deriveRun(run([failed, ...others]), emptyTask('t'), false).steps;
    expect(step?.command).toBe(`${command.slice(0, runBounds(10).command - 3)}…`);
    expect(step?.failure?.text).toBe(message.slice(0, 1_000));
  });
});

const text = fc
  .tuple(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.integer({ min: 1, max: 900 }))
  .map(([piece, times]) => piece.repeat(times));

describe('a cut', () => {
  it('of a text is no longer than it may be, keeps its beginning, and is the same made twice', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 10, max: 3_000 }), fc.nat(500), (all, most, less) => {
        const once = cutText(all, most);
        expect(bytes(once) - 2).toBeLessThanOrEqual(most);
        expect(once.isWellFormed()).toBe(true);
        if (once !== all) expect(all.startsWith(once.slice(0, -1))).toBe(true);
        const least = Math.max(10, most - less);
        expect(cutText(once, least)).toBe(cutText(all, least));
      }),
    );
  });

  it('of parameters keeps the first keys, says so, and is the same made twice', () => {
    const params = fc.dictionary(fc.string({ minLength: 1, maxLength: 9 }), text, { maxKeys: 6 });
    fc.assert(
      fc.property(params, fc.integer({ min: 30, max: 3_000 }), fc.nat(500), (all, most, less) => {
        const once = cutParams(all, most);
        expect(bytes(once)).toBeLessThanOrEqual(most);
        const least = Math.max(30, most - less);
        expect(cutParams(once, least)).toEqual(cutParams(all, least));
      }),
    );
  });
});

const event = fc
  .record({
    step: fc.integer({ min: 95, max: 110 }).map((n) => `s${n}`),
    attempt: fc.integer({ min: 1, max: 7 }),
    at: fc.integer({ min: T0, max: T0 + 20 }),
    eventId: fc.oneof(fc.uuid(), fc.string({ minLength: 30, maxLength: 60 })),
    status: fc.constantFrom('RUNNING' as const, ...ENDS),
    source: fc.constantFrom(null, 'a', 'b', 'c', 'd', 'e', 'a source with a very long name'),
    command: fc.constantFrom(null, 'x'.repeat(700), 'y'.repeat(5_000)),
    params: fc.constantFrom(null, { a: 'x'.repeat(500), b: 'y'.repeat(200) }),
    message: fc.constantFrom(null, 'm'.repeat(2_000)),
    error: fc.constantFrom(null, { code: 'E', message: 'e'.repeat(1_500) }),
    exitCode: fc.constantFrom(null, 1, 2),
  })
  .map(({ status, ...fields }) => stored(aStatus(status, fields)));

describe('a fold that has to cut gives the same, whatever way the events came', () => {
  const base = Array.from({ length: 96 }, (_, i) =>
    stored(aStatus('RUNNING', { step: `s${i}`, at: T0, command: 'c'.repeat(1_000) })),
  );

  it('a run with more and more steps, permuted, repeated, in pieces', () => {
    const history = fc.array(event, { minLength: 1, maxLength: 30 }).chain((events) =>
      fc.record({
        events: fc.constant(events),
        shuffled: fc.shuffledSubarray([...base, ...events], {
          minLength: base.length + events.length,
        }),
        repeated: fc.shuffledSubarray(events),
      }),
    );
    fc.assert(
      fc.property(history, ({ events, shuffled, repeated }) => {
        const half = JSON.parse(JSON.stringify(run(shuffled.slice(0, 60)))) as RunState;
        const whole = [...shuffled.slice(60), ...repeated].reduce(foldRun, half);
        expect(whole).toEqual(run([...base, ...events]));
      }),
      { numRuns: 60 },
    );
  });

  it('a task with more steps than a plan may have', () => {
    const more = fc.array(event, { minLength: 1, maxLength: 30 }).chain((events) =>
      fc.record({
        events: fc.constant(events),
        shuffled: fc.shuffledSubarray([...base, ...events, ...events], {
          minLength: base.length + 2 * events.length,
        }),
      }),
    );
    fc.assert(
      fc.property(more, ({ events, shuffled }) => {
        const folded = shuffled.reduce(foldTask, emptyTask('t'));
        expect(folded).toEqual([...base, ...events].reduce(foldTask, emptyTask('t')));
        expect(folded.reported.length).toBeLessThanOrEqual(100);
      }),
      { numRuns: 60 },
    );
  });
});

/** The fold promises: whatever order, repetition or grouping, the same task, run and host. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogEvent, StoredEvent } from '../../src/domain/event/event.ts';
import { foldHost, foldRun, type HostState, type RunState } from '../../src/domain/fold/fold.ts';
import { event, run, SAYS_NOTHING, shownRun, T0, task } from './folded.ts';

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

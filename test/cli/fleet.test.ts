import { describe, expect, it } from 'vitest';
import { fleetEvents, type TimedEvent } from '../../src/cli/simulate/fleet.ts';
import { type FleetOptions, planFleet } from '../../src/cli/simulate/plan.ts';
import { parseStepEvent } from '../../src/domain/event/input.ts';

const OPTIONS: FleetOptions = {
  taskId: 'deploy-1',
  service: 'orders',
  version: '2.4.0',
  environment: 'production',
  hosts: 200,
  failRate: 0.05,
  lines: 5,
  seed: '1',
};
const CLOCK = { startAt: Date.UTC(2026, 10, 24), speed: 1 };

function fleet(options: Partial<FleetOptions> = {}): TimedEvent[] {
  return [...fleetEvents(planFleet({ ...OPTIONS, ...options }), CLOCK)];
}

describe('the simulated fleet', () => {
  it('is the same for the same seed, ids included, and another for another seed', () => {
    expect(fleet()).toEqual(fleet());
    expect(fleet({ seed: '2' })).not.toEqual(fleet());
  });

  it('is the same in another task, and tasks side by side have fleets of their own', () => {
    const without = (events: TimedEvent[]) => events.map(({ input: { taskId, ...said } }) => said);
    const one = without(fleet({ fleet: '1' }));
    expect(without(fleet({ fleet: '1', taskId: 'deploy-2' }))).toEqual(one);
    expect(without(fleet({ fleet: '2', taskId: 'deploy-2' }))).not.toEqual(one);
  });

  it('prints in an order that can be: a service that was started is not stopped after it', () => {
    for (const lines of [2, 5, 40]) {
      const steps = Map.groupBy(fleet({ lines }), ({ input }) => `${input.host} ${input.attempt}`);
      for (const events of steps.values()) {
        const messages = events.map(({ input }) => input.message ?? '');
        const started = messages.findIndex((message) => message.startsWith('Started '));
        const stopped = messages.findLastIndex((message) => message.startsWith('Stopped '));
        if (started >= 0) expect(stopped).toBeLessThan(started);
      }
    }
  });

  it('sends events in the order of time, with unique ids and dense sequences per writer', () => {
    const events = fleet();
    const last = new Map<string, number>();
    let before = 0;
    for (const { atMs, input } of events) {
      expect(atMs).toBeGreaterThanOrEqual(before);
      before = atMs;
      expect(input.sequence).toBe((last.get(input.writer as string) ?? 0) + 1);
      last.set(input.writer as string, input.sequence as number);
    }
    expect(last.size).toBe(200);
    expect(new Set(events.map(({ input }) => input.eventId)).size).toBe(events.length);
  });

  it('fails as many hosts as the rate says, with a reason and the lines before it', () => {
    const plan = planFleet(OPTIONS);
    expect(plan.hosts.filter((host) => host.failed)).toHaveLength(10);
    const events = [...fleetEvents(plan, CLOCK)].map(({ input }) => input);
    const failures = events.filter((e) => e.status === 'FAILED' || e.status === 'TIMED_OUT');
    for (const { error, exitCode } of failures) {
      expect(error?.message).not.toBe('');
      expect(exitCode).toBeGreaterThan(0);
    }
    expect(new Set(failures.map((e) => e.error?.code)).size).toBeGreaterThan(2);
    expect(events.filter((e) => e.level === 'ERROR').length).toBeGreaterThan(failures.length);
    expect(events.some((e) => e.attempt === 2)).toBe(true);
  });

  it('has no failure and no retry at a rate of 0, and one failure at the smallest rate', () => {
    const events = fleet({ failRate: 0 }).map(({ input }) => input);
    expect(events.filter((e) => e.status === 'SUCCEEDED')).toHaveLength(200 * 7);
    expect(events.every((e) => e.error === undefined && e.attempt === 1)).toBe(true);
    expect(planFleet({ ...OPTIONS, failRate: 1e-9 }).hosts.filter((h) => h.failed)).toHaveLength(1);
  });

  it('sends nothing that the server would reject', () => {
    for (const { input } of fleet()) {
      const parsed = parseStepEvent(input, CLOCK.startAt);
      expect(parsed.ok ? null : parsed.problem).toBeNull();
    }
  });

  it('rolls in waves: most of the fleet has not begun when the first host is done', () => {
    const events = fleet();
    const firstEnd = events.find(
      ({ input }) => input.step === 'nginx-online' && input.status === 'SUCCEEDED',
    );
    const begun = events.filter(
      ({ atMs, input }) => atMs <= (firstEnd?.atMs ?? 0) && input.sequence === 1,
    );
    expect(begun.length).toBeLessThan(60);
  });
});

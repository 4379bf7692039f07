import { describe, expect, it } from 'vitest';
import { DEFAULT_PLAN, type LogEvent } from '../../src/domain/event/event.ts';
import { began, event, shownRun, stepOf, T0 } from './folded.ts';

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

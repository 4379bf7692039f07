import { describe, expect, it } from 'vitest';
import { DEFAULT_PLAN } from '../../src/domain/event/event.ts';
import { deriveTask, foldTask, NO_RUNS } from '../../src/domain/fold/fold.ts';
import { began, ended, event, SAYS_NOTHING, shownRun, T0, task } from './folded.ts';

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

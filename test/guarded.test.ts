/** Code of timers and listeners: a fault in it is told, and ends nothing. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { every, guarded } from '../src/guarded.ts';
import { createLog } from '../src/log.ts';

interface Line {
  msg: string;
  failedBefore: number;
  err: { message: string };
}

function recorded() {
  const lines: Line[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line) as Line) });
  return { log, lines };
}

describe('guarded code', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('that throws is logged with what was being done, and the caller goes on', () => {
    const { log, lines } = recorded();
    const run = guarded(log, 'folding the board', () => {
      throw new RangeError('too much');
    });
    expect(run).not.toThrow();
    expect(lines).toMatchObject([
      { msg: 'folding the board failed', err: { message: 'too much' }, failedBefore: 0 },
    ]);
  });

  it('that fails later, as a promise, is logged the same and is no unhandled rejection', async () => {
    const { log, lines } = recorded();
    const run = guarded(log, 'marking idle tasks', () => Promise.reject(new Error('away')));
    run();
    await vi.waitFor(() => expect(lines).toHaveLength(1), 10_000);
    expect(lines).toMatchObject([{ msg: 'marking idle tasks failed', err: { message: 'away' } }]);
  });

  it('that fails at each turn fills no log: one line a minute, with how many were left out', () => {
    const { log, lines } = recorded();
    let turns = 0;
    const run = guarded(log, 'a timer', () => {
      turns++;
      throw new Error(`turn ${turns}`);
    });
    for (let i = 0; i < 1_000; i++) run();
    expect(turns).toBe(1_000);
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(60_000);
    run();
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ err: { message: 'turn 1001' }, failedBefore: 999 });
  });

  it('has a line of its own for each guard: one that fails hides no other', () => {
    const { log, lines } = recorded();
    const fail = () => {
      throw new Error('no');
    };
    guarded(log, 'one', fail)();
    guarded(log, 'two', fail)();
    expect(lines.map(({ msg }) => msg)).toEqual(['one failed', 'two failed']);
  });

  it('is given what its listener is told', () => {
    const { log, lines } = recorded();
    const told: unknown[] = [];
    const run = guarded(log, 'closing', (code: number, reason: string) => {
      told.push(code, reason);
      throw new Error('no');
    });
    run(1001, 'away');
    expect(told).toEqual([1001, 'away']);
    expect(lines).toHaveLength(1);
  });

  it('of a timer goes on every so often, whatever its turns throw', async () => {
    vi.useRealTimers();
    const { log, lines } = recorded();
    const third = Promise.withResolvers<void>();
    let turns = 0;
    const timer = every(1, log, 'sweeping', () => {
      if (++turns === 3) third.resolve();
      throw new Error('no');
    });
    await third.promise;
    clearInterval(timer);
    expect(lines).toMatchObject([{ msg: 'sweeping failed' }]);
  });

  it('that succeeds says nothing', async () => {
    const { log, lines } = recorded();
    guarded(log, 'one', () => {})();
    guarded(log, 'two', async () => {})();
    await Promise.resolve();
    expect(lines).toEqual([]);
  });
});

/** Waiting to be woken: by everybody here in the same way. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Signal } from '../src/signal.ts';

describe('who waits for a signal', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is woken with all others, and nobody is woken twice', async () => {
    const signal = new Signal();
    const first = Promise.all([signal.wait(1_000), signal.wait()]);
    signal.wake();
    expect(await first).toEqual([true, true]);
    const later = signal.wait(1_000);
    vi.advanceTimersByTime(1_000);
    expect(await later).toBe(false);
  });

  it('hears when its time is over, and leaves no timer behind when it is woken before', async () => {
    const signal = new Signal();
    const late = signal.wait(50);
    vi.advanceTimersByTime(50);
    expect(await late).toBe(false);
    const woken = signal.wait(50);
    signal.wake();
    expect(await woken).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may leave by itself, and the others wait on', async () => {
    const signal = new Signal();
    const leaves = signal.start(1_000);
    const stays = signal.start(1_000);
    leaves.end();
    expect(await leaves.over).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect(await stays.over).toBe(false);
  });
});

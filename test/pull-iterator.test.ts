/** Following something: whoever leaves has left at once, and nothing stays behind. */
import { describe, expect, it, vi } from 'vitest';
import { PullIterator } from '../src/pull-iterator.ts';

const OVER = { value: undefined, done: true };

function over(...pulls: (() => Promise<number | null>)[]) {
  let running = 0;
  const dispose = vi.fn();
  const pull = vi.fn(async () => {
    expect(++running, 'pulls at a time').toBe(1);
    try {
      return await (pulls.shift() ?? (async () => null))();
    } finally {
      running--;
    }
  });
  return { iterator: new PullIterator<number>({ pull, dispose }), pull, dispose };
}

const never = () => new Promise<never>(() => {});

describe('an iterator that pulls', () => {
  it('gives each value in the order in which it was asked, one pull at a time', async () => {
    const values = [1, 2, 3].map((value) => async () => value);
    const { iterator, dispose } = over(...values);
    const asked = Array.from({ length: 5 }, () => iterator.next());
    const steps = [1, 2, 3].map((value) => ({ value, done: false }));
    expect(await Promise.all(asked)).toEqual([...steps, OVER, OVER]);
    expect(await iterator.next()).toEqual(OVER);
    expect(dispose).toHaveBeenCalledTimes(1);
  });

  it('settles what is asked at once when its reader leaves, and is disposed of once', async () => {
    const { iterator, pull, dispose } = over(never);
    const asked = [iterator.next(), iterator.next()];
    expect(await iterator.return()).toEqual(OVER);
    expect(await Promise.race(asked)).toEqual(OVER);
    await iterator.return();
    expect(dispose).toHaveBeenCalledTimes(1);
    expect(pull).toHaveBeenCalledTimes(1);
  });

  it('gives nothing that comes after its reader has left, not even a failure', async () => {
    const late = Promise.withResolvers<number>();
    const failing = Promise.withResolvers<number>();
    for (const { promise } of [late, failing]) {
      const { iterator } = over(() => promise);
      const asked = iterator.next();
      await iterator.return();
      late.resolve(1);
      failing.reject(new Error('too late'));
      expect(await asked).toEqual(OVER);
    }
  });

  it('ends with the failure of a pull, which only the one who asked hears', async () => {
    const { iterator, dispose } = over(async () => {
      throw new Error('the store is away');
    });
    await expect(iterator.next()).rejects.toThrow('the store is away');
    expect(dispose).toHaveBeenCalledTimes(1);
    expect(await iterator.next()).toEqual(OVER);
  });

  it('is left by a loop that breaks', async () => {
    const { iterator, dispose } = over(async () => 1, never);
    for await (const value of iterator) {
      expect(value).toBe(1);
      break;
    }
    expect(dispose).toHaveBeenCalledTimes(1);
  });
});

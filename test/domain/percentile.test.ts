import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanMs, percentile, sumOf } from '../../src/domain/percentile.ts';

const THIRTEEN = [3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 8_191];

describe('A percentile', () => {
  it.each([
    [50, 55],
    [90, 610],
    [92, 610],
    [93, 8_191],
    [95, 8_191],
    [99, 8_191],
    [100, 8_191],
    [1, 3],
  ])('is by nearest rank: the %ith of thirteen durations is %i ms', (p, expected) => {
    expect(percentile(THIRTEEN, p)).toBe(expected);
  });

  it('is one of the values, and the least that so many are not greater than', () => {
    const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (given, p) => {
        const sorted = given.toSorted((a, b) => a - b);
        const found = percentile(sorted, p) ?? -1;
        const atMost = (limit: number) => sorted.filter((value) => value <= limit).length;
        expect(sorted).toContain(found);
        expect(atMost(found) * 100).toBeGreaterThanOrEqual(p * sorted.length);
        expect(atMost(found - 1) * 100).toBeLessThan(p * sorted.length);
      }),
    );
  });

  it('of nothing is none', () => {
    expect(percentile([], 95)).toBeNull();
  });
});

describe('A mean', () => {
  it('is the same in whatever order the durations were added', () => {
    // In tenths and quarters, as programs report them: a sixteenth of their sum is often a half.
    const tenths = fc.integer({ min: 0, max: 50_000_000 }).map((n) => n / 10);
    const quarters = fc.integer({ min: 0, max: 50_000_000 }).map((n) => n / 4);
    const durations = fc.array(fc.oneof(tenths, quarters), { minLength: 1, maxLength: 64 });
    fc.assert(
      fc.property(durations, (given) => {
        const plain = (some: number[]) => some.reduce((sum, value) => sum + value, 0);
        const [half, other] = [given.slice(0, given.length / 2), given.slice(given.length / 2)];
        const sums = [sumOf(given), sumOf(given.toReversed()), sumOf(half) + sumOf(other)];
        const means = [...sums, plain(given)].map((sum) => meanMs(sum, given.length));
        expect(new Set(means).size).toBe(1);
        expect(means[0]).toBeCloseTo(plain(given) / given.length, 3);
      }),
    );
  });

  it('of nothing is none', () => {
    expect(meanMs(0, 0)).toBeNull();
  });
});

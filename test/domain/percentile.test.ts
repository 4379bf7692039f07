import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentile } from '../../src/domain/percentile.ts';

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

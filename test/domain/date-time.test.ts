import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDateTime, parseDateTime } from '../../src/domain/event/date-time.ts';

const EARLIEST = Date.parse('0000-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

describe('a time', () => {
  it.each([
    ['2026-11-24T10:00:00Z', '2026-11-24T10:00:00.000Z'],
    ['2026-11-24t10:00:00.1z', '2026-11-24T10:00:00.100Z'],
    ['2026-11-24T10:00:00.123999+02:00', '2026-11-24T08:00:00.123Z'],
    ['2026-11-24T10:00:00-05:30', '2026-11-24T15:30:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z'],
    ['2016-12-31T23:59:60.5Z', '2016-12-31T23:59:59.999Z'],
    ['0000-02-29T00:00:00Z', '0000-02-29T00:00:00.000Z'],
    ['0099-03-01T00:00:00Z', '0099-03-01T00:00:00.000Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    [1.9, '1970-01-01T00:00:00.001Z'],
    [-1.5, '1969-12-31T23:59:59.998Z'],
  ])('%j is %s', (value, expected) => {
    expect(formatDateTime(parseDateTime(value) ?? Number.NaN)).toBe(expected);
  });

  it.each([
    [''],
    ['2026-11-24'],
    ['2026-11-24 10:00:00Z'],
    ['2026-11-24T10:00:00'],
    ['2026-11-24T10:00Z'],
    ['2026-11-24T24:00:00Z'],
    ['2026-11-24T10:60:00Z'],
    ['2026-11-24T10:00:61Z'],
    ['2026-11-24T10:00:00.Z'],
    ['2026-11-24T10:00:00+24:00'],
    ['2026-11-24T10:00:00+02'],
    ['2026-13-01T00:00:00Z'],
    ['2026-00-01T00:00:00Z'],
    ['2026-02-29T00:00:00Z'],
    ['1900-02-29T00:00:00Z'],
    ['2026-04-31T00:00:00Z'],
    ['2026-04-00T00:00:00Z'],
    ['+02026-04-01T00:00:00Z'],
    ['0000-01-01T00:00:00+01:00'],
    ['9999-12-31T23:59:59-01:00'],
    [`2026-11-24T10:00:00.${'1'.repeat(100)}Z`],
    [' 2026-11-24T10:00:00Z'],
    ['1795000000000'],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [LATEST + 1],
    [EARLIEST - 1],
    [null],
    [true],
    [{}],
  ])('is not %j', (value) => {
    expect(parseDateTime(value)).toBeNull();
  });

  it('that was written is read as the same time, with any offset', () => {
    const offset = fc.integer({ min: -1_439, max: 1_439 });
    fc.assert(
      fc.property(fc.integer({ min: EARLIEST, max: LATEST }), offset, (ms, minutes) => {
        expect(parseDateTime(formatDateTime(ms))).toBe(ms);
        expect(parseDateTime(ms)).toBe(ms);
        const local = ms + minutes * 60_000;
        if (local < EARLIEST || local > LATEST) return;
        const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
        const zone = `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
        expect(parseDateTime(formatDateTime(local).replace('Z', zone))).toBe(ms);
      }),
    );
  });
});

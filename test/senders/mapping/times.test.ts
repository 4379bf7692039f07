import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../../src/domain/event/exact-number.ts';
import { readForeignTime, type TimeFormat } from '../../../src/senders/mapping/times.ts';

const RECEIVED_AT = Date.UTC(2026, 10, 27, 12, 0, 0);

function read(value: unknown, format: TimeFormat = 'auto', offsetMinutes = 0): string | null {
  const time = readForeignTime(value, { format, offsetMinutes, receivedAt: RECEIVED_AT });
  return time === null ? null : `${new Date(time.at).toISOString()} ${time.fine ? 'fine' : 's'}`;
}

describe('a time of others is read', () => {
  it.each([
    ['RFC 3339', '2026-11-27T02:07:03.983Z', '2026-11-27T02:07:03.983Z fine'],
    [
      'Python with microseconds',
      '2026-11-27T02:07:08.830492+00:00',
      '2026-11-27T02:07:08.830Z fine',
    ],
    ['Java with nanoseconds', '2026-11-27T02:07:11.919571579Z', '2026-11-27T02:07:11.919Z fine'],
    [
      'logback, an offset without a colon',
      '2026-11-27T01:50:49.992+0000',
      '2026-11-27T01:50:49.992Z fine',
    ],
    ['an offset of hours alone', '2026-11-27T09:50:49+08', '2026-11-27T01:50:49.000Z s'],
    ['syslog-ng, whole seconds', '2026-11-27T02:07:30+00:00', '2026-11-27T02:07:30.000Z s'],
    [
      'Python logging, a space and a comma',
      '2026-11-27 01:50:49,992',
      '2026-11-27T01:50:49.992Z fine',
    ],
    ['no offset', '2026-11-27T01:50:49.5', '2026-11-27T01:50:49.500Z fine'],
    ['nginx and Go', '2026/11/27 01:50:49', '2026-11-27T01:50:49.000Z s'],
    ['Apache', '27/Nov/2026:03:50:49 +0200', '2026-11-27T01:50:49.000Z s'],
    ['RFC 1123', 'Fri, 27 Nov 2026 01:50:49 GMT', '2026-11-27T01:50:49.000Z s'],
    ['RFC 3164', 'Nov 27 02:09:19', '2026-11-27T02:09:19.000Z s'],
    ['RFC 3164 with one digit', 'Nov  7 02:09:19', '2026-11-07T02:09:19.000Z s'],
    ['Cisco, with a year', 'Nov 27 2026 02:09:19.250', '2026-11-27T02:09:19.250Z fine'],
    ['the month of next year', 'Jan  2 00:00:00', '2027-01-02T00:00:00.000Z s'],
    ['epoch seconds', 1_795_742_637, '2026-11-27T01:23:57.000Z s'],
    ['Fluent Bit, seconds with a fraction', 1_795_742_637.123, '2026-11-27T01:23:57.123Z fine'],
    ['Docker, the same as a text', '1795742441.388550', '2026-11-27T01:20:41.388Z fine'],
    ['pino, milliseconds', 1_795_742_637_100, '2026-11-27T01:23:57.100Z fine'],
    ['journald, microseconds', '1795742637100200', '2026-11-27T01:23:57.100Z fine'],
    [
      'OpenTelemetry, nanoseconds',
      new ExactNumber('1795742637100200300'),
      '2026-11-27T01:23:57.100Z fine',
    ],
  ])('%s', (_, value, expected) => {
    expect(read(value)).toBe(expected);
  });

  it('in the unit that is declared, whatever its size says', () => {
    expect(read(978_307_200_500, 'epoch-ms')).toBe('2001-01-01T00:00:00.500Z fine');
    expect(read(50_000_000_000, 'auto')).toBe('3554-06-09T16:53:20.000Z s');
    expect(read(1_795_742_637, 'epoch-s')).toBe('2026-11-27T01:23:57.000Z s');
  });

  it('at the offset that is declared, where it names none itself', () => {
    expect(read('2026-11-27 09:50:49', 'auto', 480)).toBe('2026-11-27T01:50:49.000Z s');
    expect(read('2026-11-27T01:50:49Z', 'auto', 480)).toBe('2026-11-27T01:50:49.000Z s');
    expect(read('Nov 27 09:50:49', 'auto', 480)).toBe('2026-11-27T01:50:49.000Z s');
  });

  it('in the year nearest to its receipt, where it names none', () => {
    const receivedAt = Date.UTC(2027, 0, 1, 0, 0, 5);
    const time = readForeignTime('Dec 31 23:59:58', {
      format: 'auto',
      offsetMinutes: 0,
      receivedAt,
    });
    expect(new Date(time?.at ?? 0).toISOString()).toBe('2026-12-31T23:59:58.000Z');
  });

  it.each([
    'yesterday',
    '',
    '2026-13-01T00:00:00Z',
    '2026-11-27',
    'Foo 27 02:09:19',
    0,
    -5,
    1_000,
    Number.NaN,
    1e300,
    true,
    null,
    ['2026-11-27T01:50:49Z'],
    '1970-01-01T00:00:00Z',
  ])('not at all, where it is none: %j', (value) => {
    expect(read(value)).toBeNull();
  });
});

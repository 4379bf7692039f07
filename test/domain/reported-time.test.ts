/** The times that senders say: what can be meant is taken, a wrong unit is refused with words. */
import { describe, expect, it } from 'vitest';
import { parseStepEvent } from '../../src/domain/event/input.ts';
import { parseFinishTask, parseStartTask } from '../../src/domain/event/task-input.ts';

const NOW = Date.UTC(2026, 10, 27);
const LINE = { taskId: 't', host: 'h', step: 's', message: 'm' };

const ways = [
  ['an event', (at: unknown, now = NOW) => parseStepEvent({ ...LINE, eventId: 'e', at }, now)],
  ['startTask', (at: unknown, now = NOW) => parseStartTask({ id: 't', at }, now)],
  ['finishTask', (at: unknown, now = NOW) => parseFinishTask({ id: 't', at }, now)],
] as const;

describe.each(ways)('the time of %s', (_name, parse) => {
  it.each([
    ['epoch seconds', 1_764_081_500, 'seconds'],
    ['epoch seconds as text', '1764081500', 'seconds'],
    ['seconds with a fraction', 1_764_081_500.25, 'seconds'],
    ['the least of seconds that can be now', 1_000_000_000, 'seconds'],
    ['a negative one', -5, 'seconds'],
    ['microseconds', 1_764_081_500_000_000, 'microseconds'],
    ['nanoseconds as text', '1764081500000000000', 'microseconds'],
  ])('is refused where it is %s, and the message speaks of milliseconds', (_what, at, unit) => {
    expect(parse(at)).toEqual({
      ok: false,
      problem: {
        code: 'OUT_OF_RANGE',
        field: 'at',
        message: `at must be epoch milliseconds or an RFC 3339 time; ${at} looks like ${unit}`,
      },
    });
  });

  it.each([
    ['of 2015', '2015-03-01T00:00:00Z', Date.UTC(2015, 2, 1)],
    ['of 2000, in milliseconds', Date.UTC(2000, 0, 1), Date.UTC(2000, 0, 1)],
    ['of 2099', '2099-01-01T00:00:00Z', Date.UTC(2099, 0, 1)],
  ])('is taken where it is one %s', (_what, at, expected) => {
    expect(parse(at)).toMatchObject({ ok: true, event: { at: expected } });
    expect(parse(at)).not.toHaveProperty('event.atReplaced');
  });

  it.each([
    ["Go's zero", '0001-01-01T00:00:00Z'],
    ["Go's zero in milliseconds", -62_135_596_800_000],
    ['the zero of .NET', '0001-01-01T00:00:00'],
    ['the number 0', 0],
    ['an empty text', ''],
    ['a clock that begins in 1970', '1970-01-01T00:07:13.5+00:00'],
    ['a clock that begins in 1970, in milliseconds', 433_500],
    ['one of ten days, in milliseconds', 863_999_999],
    ['one that counts seconds', 17],
    ['a clock of 1980', Date.UTC(1980, 0, 1)],
  ])('is when it was received where it is %s, and the event says so', (_what, at) => {
    expect(parse(at)).toMatchObject({ ok: true, event: { at: NOW, atReplaced: true } });
  });

  it('is when it was received where none was said, and nothing was replaced', () => {
    for (const at of [null, undefined]) {
      expect(parse(at)).toMatchObject({ ok: true, event: { at: NOW } });
      expect(parse(at)).not.toHaveProperty('event.atReplaced');
    }
  });

  it('that was replaced leaves a retry the same event, whenever it comes', () => {
    const first = parse('1970-01-01T00:07:13Z');
    const again = parse('1970-01-01T00:07:13Z', NOW + 60_000);
    const other = parse('1970-01-01T00:07:14Z');
    const digest = (parsed: typeof first) => (parsed.ok ? parsed.event.digest : '');
    expect(digest(again)).toBe(digest(first));
    expect(digest(other)).not.toBe(digest(first));
  });
});

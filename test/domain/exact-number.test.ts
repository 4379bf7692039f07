import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactNumber, parseExactJson } from '../../src/domain/event/exact-number.ts';
import { cpuMs } from '../support/cpu-ms.ts';

/** The digits of what is no number here; else the value. */
function read(text: string): unknown {
  const value = parseExactJson(text);
  return value instanceof ExactNumber ? `exact ${value.source}` : value;
}

describe('a number of JSON', () => {
  it('is given digit by digit where a double would be another one', () => {
    for (const source of [
      '9007199254740993',
      '-9007199254740993',
      '12345678901234567890',
      '1.2345678901234567890',
      '9007199254740993.5',
      '0.90071992547409931234',
      '123456789012345678e3',
    ]) {
      expect(read(source)).toBe(`exact ${source}`);
    }
  });

  it('is a number as ever where a double holds it, however it is written', () => {
    for (const source of [
      '9007199254740991',
      '9007199254740992',
      '-9007199254740992',
      '1764081443123',
      '0.30000000000000004',
      '1.000000000000000000000',
      '100000000000000000000',
      '1e20',
      '0.0000000000000000000001',
      '5e-324',
      '-0.0000000000000000',
    ]) {
      expect(read(source)).toBe(Number(source));
    }
  });

  it('is found wherever it stands, and texts that look like one stay texts', () => {
    const text =
      '{"a":"12345678901234567890","b\\"\\\\":[1,{"c":12345678901234567890}],"d":"\\\\"}';
    const value = parseExactJson(text) as Record<string, unknown>;
    expect(value.a).toBe('12345678901234567890');
    expect(value).toMatchObject({
      'b"\\': [1, { c: { source: '12345678901234567890' } }],
      d: '\\',
    });
  });

  it('that was written from a double is that double, in any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('is what a reviver of JSON.parse makes of it, in any text, also one that is no JSON', () => {
    const exact = ['12345678901234567890', '-9007199254740993', '1.2345678901234567890e3'];
    const held = ['100000000000000000000', '1.0000000000000000', '1e999999999999999999'];
    const part = fc.constantFrom(
      ...[...exact, ...held, '01234567890123456789', '1', '-', '.', 'e5', 'true', 'null'],
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        ' ',
        '\n',
        '"',
        '"a"',
        '"a":',
        '\\',
        '"\\""',
        '"__proto__":',
      ],
    );
    const value = fc.constantFrom(...exact, ...held, '"12345678901234567890"', 'true', '7');
    const whole = fc
      .array(value)
      .map(
        (values) => `{"__proto__":[${values}],"a":{"b":${values[0] ?? 1}},"c" : ${values.length}}`,
      );
    type Reviver = (key: string, value: unknown) => unknown;
    const revived = (_: string, found: unknown, { source = '' }: { source?: string }) =>
      exact.includes(source) && typeof found === 'number' ? new ExactNumber(source) : found;
    const reading = (read: () => unknown) => {
      try {
        return { json: JSON.stringify([read()]), value: read() };
      } catch (error) {
        return String(error);
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(part, { maxLength: 12 }).map((all) => all.join(' ')),
          whole,
        ),
        (text) => {
          expect(reading(() => parseExactJson(text))).toEqual(
            reading(() => JSON.parse(text, revived as Reviver)),
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('costs what stands beside it little: a body full of small ones is read in a moment', () => {
    const text = `[12345678901234567890,${'1,'.repeat(1_000_000)}1]`;
    const least = (read: (text: string) => unknown) =>
      Math.min(
        ...[1, 2, 3].map(() => {
          const began = cpuMs();
          read(text);
          return cpuMs() - began;
        }),
      );
    // Some three times as much; by a reviver it was fifty.
    expect(least(parseExactJson)).toBeLessThan(15 * Math.max(16, least(JSON.parse)));
  });

  it('that is broken is told in the words of JSON.parse', () => {
    for (const text of ['{"a":12345678901234567890', '12345678901234567890 "', '"\\']) {
      expect(() => parseExactJson(text)).toThrow(SyntaxError);
    }
  });
});

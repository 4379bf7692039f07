import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactNumber, parseExactJson } from '../../src/domain/event/exact-number.ts';

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

  it('that is broken is told in the words of JSON.parse', () => {
    for (const text of ['{"a":12345678901234567890', '12345678901234567890 "', '"\\']) {
      expect(() => parseExactJson(text)).toThrow(SyntaxError);
    }
  });
});

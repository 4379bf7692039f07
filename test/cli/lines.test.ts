import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LineOptions, TextLines } from '../../src/cli/run/lines.ts';

function linesOf(chunks: (string | Uint8Array)[], options: LineOptions = {}): string[] {
  const lines: string[] = [];
  const splitter = new TextLines((line) => lines.push(line), options);
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

describe('the lines of a command', () => {
  it('are the same however the output is cut into chunks', () => {
    const text = 'one\r\ntwo é€😀\n\nfour without end';
    const bytes = Buffer.from(text);
    const expected = ['one', 'two é€😀', '', 'four without end'];
    expect(linesOf([text])).toEqual(expected);
    expect(linesOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('show of a progress bar what a terminal shows at the end', () => {
    expect(linesOf(['10 %\r50 %\r', '100 %\r\ndone\n'])).toEqual(['100 %', 'done']);
    expect(linesOf(['10 %\r50 %'])).toEqual(['50 %']);
  });

  it('end in any number of returns and a line feed, however these arrive', () => {
    const text = 'first\r\r\nsecond\r\r\r\n\r\r\n10 %\r20 %\r\r\nlast\r\r';
    const expected = ['first', 'second', '', '20 %', 'last'];
    expect(linesOf([text])).toEqual(expected);
    expect(linesOf([...text])).toEqual(expected);
  });

  it.each([
    ['gbk', 'gbk', [0xc1, 0xac, 0xbd, 0xd3, 0xb3, 0xac, 0xca, 0xb1, 0x0a]],
    ['the mark of UTF-16', null, Buffer.from('\ufeff连接超时\n', 'utf16le')],
    ['the same, big-endian', null, Buffer.from('\ufeff连接超时\n', 'utf16le').swap16()],
    ['the mark of UTF-8', null, Buffer.from('\ufeff连接超时\n')],
  ] as const)('are read by their encoding: %s, whole or byte by byte', (_, encoding, given) => {
    const bytes = Buffer.from(given);
    expect(linesOf([bytes], { encoding })).toEqual(['连接超时']);
    expect(
      linesOf(
        [...bytes].map((byte) => Uint8Array.of(byte)),
        { encoding },
      ),
    ).toEqual(['连接超时']);
  });

  it('hold no NUL and no broken UTF-8', () => {
    expect(linesOf([Uint8Array.of(0x61, 0, 0xff, 0x62, 0x0a)])).toEqual(['a\ufffd\ufffdb']);
  });

  it('are split where they are too long, never inside a character', () => {
    expect(linesOf(['abcdefgh\n'], { longest: 3 })).toEqual(['abc', 'def', 'gh']);
    expect(linesOf(['ab😀cd\n'], { longest: 3 })).toEqual(['ab', '😀c', 'd']);
    expect(linesOf(['ab😀', 'cd'], { longest: 3 })).toEqual(['ab', '😀c', 'd']);
  });

  it('are held back for no more than one longest line', () => {
    const lines: string[] = [];
    const splitter = new TextLines((line) => lines.push(line), { longest: 10 });
    for (let i = 0; i < 100; i++) splitter.push(Buffer.from('x'.repeat(7)));
    expect(lines.join('').length).toBeGreaterThanOrEqual(690);
    splitter.end();
    expect(lines.join('')).toBe('x'.repeat(700));
  });
});

describe('an unfinished line', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function following() {
    const lines: string[] = [];
    const splitter = new TextLines((line) => lines.push(line));
    return {
      lines,
      splitter,
      prints: (text: string, waits = 0) => {
        splitter.push(Buffer.from(text));
        vi.advanceTimersByTime(waits);
      },
    };
  }

  it('is shown when it has stood still for a second, and its end is not one more line', () => {
    const { lines, prints, splitter } = following();
    prints('Overwrite? [y/N] ', 999);
    expect(lines).toEqual([]);
    prints('', 1);
    expect(lines).toEqual(['Overwrite? [y/N] ']);
    prints('\n');
    prints('Sure? ', 1_500);
    prints('yes\n');
    splitter.end();
    expect(lines).toEqual(['Overwrite? [y/N] ', 'Sure? ', 'yes']);
  });

  it('is one line when its pieces come within a second of each other', () => {
    const { lines, prints } = following();
    for (let i = 0; i < 20; i++) prints('.', 900);
    prints(' ok\n');
    expect(lines).toEqual([`${'.'.repeat(20)} ok`]);
  });

  it('that overwrites itself is shown at a bounded rate, and at its end once as it is', () => {
    const { lines, prints, splitter } = following();
    for (let i = 1; i <= 40; i++) prints(`\r${i} %`, 500);
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.length).toBeLessThanOrEqual(4);
    prints('\r100 %', 20_000);
    prints('\n');
    splitter.end();
    expect(lines.filter((line) => line === '100 %')).toHaveLength(1);
    expect(lines.at(-1)).toBe('100 %');
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('that ends in a return is shown once, whether it is overwritten or ended then', () => {
    const { lines, prints } = following();
    prints('working\r', 1_000);
    prints('\n');
    prints('10 %\r', 1_000);
    prints('20 %\r\n');
    expect(lines).toEqual(['working', '10 %', '20 %']);
  });
});

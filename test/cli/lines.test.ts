import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/cli/run/lines.ts';

function linesOf(chunks: (string | Uint8Array)[], longest?: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), longest);
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

  it('hold no NUL and no broken UTF-8', () => {
    expect(linesOf([Uint8Array.of(0x61, 0, 0xff, 0x62, 0x0a)])).toEqual(['a\ufffd\ufffdb']);
  });

  it('are split where they are too long, never inside a character', () => {
    expect(linesOf(['abcdefgh\n'], 3)).toEqual(['abc', 'def', 'gh']);
    expect(linesOf(['ab😀cd\n'], 3)).toEqual(['ab', '😀c', 'd']);
    expect(linesOf(['ab😀', 'cd'], 3)).toEqual(['ab', '😀c', 'd']);
  });

  it('are held back for no more than one longest line', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line), 10);
    for (let i = 0; i < 100; i++) splitter.push(Buffer.from('x'.repeat(7)));
    expect(lines.join('').length).toBeGreaterThanOrEqual(690);
    splitter.end();
    expect(lines.join('')).toBe('x'.repeat(700));
  });
});

import { describe, expect, it } from 'vitest';
import { markedPieces } from '../../src/ui/search/marked.ts';

/** As it is shown, with what is marked in brackets. */
function shown(message: string, ...words: string[]): string {
  const highlights = words.map((word) => {
    const start = message.indexOf(word);
    return { start, end: start + word.length };
  });
  return markedPieces(message, highlights)
    .map(({ text, marked }) => (marked ? `[${text}]` : text))
    .join('');
}

describe('the places of a match in a message', () => {
  it('are marked in order, and everything else stays', () => {
    expect(shown('port 80 is taken', 'port', 'taken')).toBe('[port] 80 is [taken]');
    expect(shown('nothing')).toBe('nothing');
    expect(shown('')).toBe('');
  });

  it('stay where they are when colours and control characters are taken out', () => {
    expect(shown('\u001b[31mport\u001b[0m is \u202etaken\u0007', 'port', 'taken')).toBe(
      '[port] is [taken]',
    );
    // A match within the escape code itself leaves nothing odd behind.
    expect(shown('\u001b[31mport', '31')).not.toContain('\u001b');
  });

  it('are shown of a long message with what stands around them', () => {
    const long = `${'a '.repeat(5_000)}needle${' b'.repeat(5_000)}`;
    const text = shown(long, 'needle');
    expect(text).toContain('[needle]');
    expect(text).toMatch(/^… a/);
    expect(text).toMatch(/b …$/);
    expect(text.length).toBeLessThan(500);
    expect(shown('x'.repeat(1_000))).toBe(`${'x'.repeat(400)} …`);
  });

  it('are shown of a bar that overwrites itself as they stood; without a match its last text', () => {
    expect(shown('10 %\r50 %\r100 % done\r')).toBe('100 % done');
    expect(shown('10 % begun\r100 % done', 'begun')).toBe('10 % [begun] …');
    expect(shown('10 %\r100 % done', 'done')).toBe('100 % [done]');
  });

  it('never cut a character into halves', () => {
    const text = shown(`${'x'.repeat(399)}😀😀`);
    expect(text.isWellFormed()).toBe(true);
  });
});

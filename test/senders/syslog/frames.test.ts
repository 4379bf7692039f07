/** How a connection's bytes become messages. */
import { describe, expect, it } from 'vitest';
import { FrameSplitter, MAX_FRAME_BYTES } from '../../../src/senders/syslog/frames.ts';

function framesOf(...chunks: string[]): string[] {
  const splitter = new FrameSplitter();
  return [
    ...chunks.flatMap((chunk) => [...splitter.push(Buffer.from(chunk))].map(String)),
    ...[...splitter.end()].map(String),
  ];
}

describe('messages', () => {
  it.for([
    ['counted', ['6 <1>a\nb7 <1>cdef'], ['<1>a\nb', '<1>cdef']],
    ['counted, with the newline in the count', ['6 <1>ab\n5 <1>c\n'], ['<1>ab', '<1>c']],
    ['counted, in pieces', ['1', '0 <1', '>a\nbcd', 'ef'], ['<1>a\nbcdef'.slice(0, 10)]],
    ['ended by newlines', ['<1>a\n<1>b\r\n\n<1>c'], ['<1>a', '<1>b', '<1>c']],
    ['ended by NUL, with newlines inside', ['<1>a\nb\0', '<1>c\nd\0'], ['<1>a\nb', '<1>c\nd']],
    ['several in one piece, ended by NUL', ['<1>a\nb\0<1>c\0'], ['<1>a\nb', '<1>c']],
    ['that begin with a number', ['200 OK\n2026-11-27 x\n'], ['200 OK', '2026-11-27 x']],
    ['of both kinds on one connection', ['<1>a\n5 <1>bc<1>d\n'], ['<1>a', '<1>bc', '<1>d']],
    ['with a NUL in a line', ['<1>a\0b\n<1>c\n'], ['<1>a\0b', '<1>c']],
    ['cut off by their sender', ['9 <1>ab'], ['<1>ab']],
    ['of nothing', ['\n\n\0\r\n '], []],
  ] as const)('%s are found', ([, chunks, expected]) => {
    expect(framesOf(...chunks)).toEqual(expected);
  });

  it('that are longer than the bound are cut, and the next one is whole', () => {
    const long = `<1>${'x'.repeat(3 * MAX_FRAME_BYTES)}`;
    for (const text of [`${long}\n<1>b\n`, `${long.length} ${long}4 <1>b`]) {
      const [first, second] = framesOf(text.slice(0, 1_000), text.slice(1_000));
      expect(first).toHaveLength(MAX_FRAME_BYTES);
      expect(second).toBe('<1>b');
    }
  });
});

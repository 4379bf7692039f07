import { expect, it } from 'vitest';
import { compareText } from '../../src/domain/text/text-order.ts';

it('texts are sorted as their UTF-8 bytes are, as both engines do', () => {
  const texts = [
    '',
    'a',
    'ab',
    'b',
    'Z',
    'é',
    'e\u0301',
    '主',
    '\ud7ff',
    '\ue000',
    '～',
    '🎉',
    '🚀',
  ];
  const pairs = texts.flatMap((a) => texts.flatMap((b) => [a + b, `x${b}${a}`]));
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  expect(pairs.toSorted(compareText)).toEqual(pairs.toSorted(bytes));
  for (const a of pairs)
    for (const b of texts) expect(Math.sign(compareText(a, b))).toBe(bytes(a, b));
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CURSOR_KINDS,
  decodeCursor,
  encodeCursor,
  hashFilter,
  type ShardCursorLike,
} from '../../src/domain/cursor/cursor.ts';
import { encodePageCursor } from '../../src/domain/cursor/page.ts';
import type { ShiplogError } from '../../src/domain/errors.ts';
import { parseSearch, type SearchQuery } from '../../src/domain/search/search.ts';

const HASH = hashFilter({ taskId: 't' });
const EXPECTED = { kind: 'tail', filterHash: HASH } as const;
const day = (offset: number) =>
  new Date(Date.UTC(2026, 10, 24) - offset * 86_400_000).toISOString().slice(0, 10);
const sorted = (shards: readonly ShardCursorLike[]) =>
  shards.toSorted((a, b) => (a.shard < b.shard ? -1 : 1));
function refusal(text: string, expected: Parameters<typeof decodeCursor>[1]): ShiplogError {
  try {
    decodeCursor(text, expected, 'after');
  } catch (error) {
    return error as ShiplogError;
  }
  throw new Error('it was taken');
}
const search = (text: string) => ({ search: parseSearch(text) as SearchQuery });

describe('a tail cursor', () => {
  it('gives back every shard with its place', () => {
    const name = fc.oneof(
      fc
        .tuple(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 12 }))
        .map(([d, n]) => `${new Date(d * 86_400_000).toISOString().slice(0, 10)}/${n}`),
      fc.constantFrom('0', '', '2026-13-40/0', '2026-11-24/00', '1969-12-31/0', 'a/ü'),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
    );
    const shard = fc.record({
      shard: name,
      history: fc.oneof(fc.nat(0xffff), fc.integer({ min: 0, max: 0xffff_ffff })),
      seq: fc.oneof(fc.nat(1_000), fc.maxSafeNat()),
    });
    const shards = fc.uniqueArray(shard, { selector: (one) => one.shard, maxLength: 30 });
    fc.assert(
      fc.property(shards, fc.constantFrom(...CURSOR_KINDS), (all, kind) => {
        const text = encodeCursor({ kind, filterHash: HASH, shards: all });
        expect(text).toMatch(/^[\w-]+$/);
        expect(sorted(decodeCursor(text, { kind, filterHash: HASH }))).toEqual(sorted(all));
      }),
    );
  });

  it('stays below 1 KB for ninety days', () => {
    const shards = Array.from({ length: 90 }, (_, i) => ({
      shard: `${day(i)}/0`,
      history: 0xffff - i,
      seq: 2 ** 28 - 1 - i,
    }));
    expect(encodeCursor({ ...EXPECTED, shards }).length).toBeLessThan(1_000);
    expect(
      encodeCursor({ ...EXPECTED, shards: [{ shard: '0', history: 1, seq: 5 }] }).length,
    ).toBeLessThan(24);
  });

  const good = encodeCursor({
    ...EXPECTED,
    shards: [{ shard: '2026-11-24/0', history: 7, seq: 9 }],
  });

  it.each([
    ['empty', ''],
    ['cut', good.slice(0, -3)],
    ['longer', `${good}AA`],
    ['no base64', `${good.slice(0, -1)}!`],
    ['words', 'not a cursor'],
    ['a page’s', encodePageCursor('tasks', [1, 'a'])],
    ['enormous', 'A'.repeat(300_000)],
  ])('that is %s is refused as invalid', (_, text) => {
    const error = refusal(text, EXPECTED);
    expect(error).toMatchObject({ code: 'CURSOR_INVALID', field: 'after' });
    expect(error.message).toContain('after');
  });

  it('with one character changed is refused', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.constantFrom(...'AZaz09-_'), (at, letter) => {
        fc.pre(good[at] !== letter);
        const text = good.slice(0, at) + letter + good.slice(at + 1);
        expect(refusal(text, EXPECTED).code).toBe('CURSOR_INVALID');
      }),
    );
  });

  it('of another stream or another filter is refused as a mismatch', () => {
    const kind = refusal(good, { kind: 'runs', filterHash: HASH });
    expect(kind).toMatchObject({ code: 'CURSOR_MISMATCH', field: 'after' });
    expect(kind.message).toContain('"tail"');
    expect(kind.message).toContain('"runs"');
    const filter = refusal(good, { kind: 'tail', filterHash: hashFilter({ taskId: 'u' }) });
    expect(filter).toMatchObject({ code: 'CURSOR_MISMATCH', field: 'after' });
    expect(filter.message).toContain('filter');
  });
});

describe('the filter of a cursor', () => {
  it('is the same however it is written', () => {
    expect(hashFilter({ hosts: ['b', 'a', 'a'], steps: [], taskId: 't' })).toBe(
      hashFilter({ taskId: 't', hosts: ['a', 'b'] }),
    );
    expect(hashFilter({ labels: [{ key: 'a', value: '1' }] })).toBe(
      hashFilter({
        labels: [
          { value: '1', key: 'a' },
          { key: 'a', value: '1' },
        ],
      }),
    );
    expect(hashFilter(search('b  "a" level:error'))).toBe(hashFilter(search(' LEVEL:Error A b b')));
    expect(hashFilter({})).toMatch(/^[\w-]{8}$/);
  });

  it('is another one where anything else differs', () => {
    const hashes = [
      {},
      { taskId: 't' },
      { ids: ['t'] },
      { hosts: ['t'] },
      { hosts: ['t', 'u'] },
      { hosts: ['t,u'] },
      { from: 1 },
      { to: 1 },
      search('a'),
      search('-a'),
      search('a*'),
      search('a b'),
      search('"a b"'),
    ].map(hashFilter);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

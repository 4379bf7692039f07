/** Bytes that are nearly right: for tests that no bytes are too bad. */

export type Random = (below: number) => number;

/** mulberry32: the same numbers for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T;
}

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  '\n',
  '\0',
  ':',
  ',',
  '<',
  '\ufeff',
  '1e999',
  '\\ud800',
  '"__proto__":{}',
];

/**
 * One change: cut, overwritten, put in, left out, repeated, or nested without end. `tokens`: what a
 * protocol knows besides those of JSON.
 */
export function mutated(body: Buffer, random: Random, tokens: readonly string[] = []): Buffer {
  const at = random(body.length + 1);
  const [before, behind] = [body.subarray(0, at), body.subarray(at)];
  const some = Buffer.from(Array.from({ length: random(64) }, () => random(256)));
  switch (random(8)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, Buffer.of(random(256)), behind.subarray(1)]);
    case 2:
      return Buffer.concat([before, Buffer.from(pick(random, [...TOKENS, ...tokens])), behind]);
    case 3:
      return Buffer.concat([before, behind.subarray(random(40))]);
    case 4:
      return Buffer.concat([before, body, behind]);
    case 5:
      return Buffer.concat([before, some, behind]);
    case 6:
      return Buffer.concat([
        before,
        Buffer.of(pick(random, [0, 0x7f, 0x80, 0xff])),
        behind.subarray(1),
      ]);
    default: {
      const nest = pick(random, ['[', '{"a":', '{"values":[{"arrayValue":', '\x2a\x7f']);
      return Buffer.concat([before, Buffer.from(nest.repeat(random(3_000))), behind]);
    }
  }
}

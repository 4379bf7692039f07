import { describe, expect, it } from 'vitest';
import { bodyDigest, eventIdOf } from '../../src/senders/identity.ts';

const id = (space: string, name: string) => eventIdOf({ by: 'id', space, id: name }, false);
const body = (digest: string, ordinal: number, fine = true) =>
  eventIdOf({ by: 'body', digest, ordinal }, fine);
const line = (parts: string[], ordinal: number, fine = true) =>
  eventIdOf({ by: 'line', parts, ordinal }, fine);

describe('the identity of a document', () => {
  it('is its own id within its index, with or without a time', () => {
    expect(id('logs', '1')).toMatch(/^x-[\w-]{22}$/);
    expect(id('logs', '1')).toBe(id('logs', '1'));
    expect(
      new Set([id('logs', '1'), id('logs', '2'), id('log', 's1'), id('logs2', '1')]).size,
    ).toBe(4);
  });

  it('is its place in a body that may be repeated, and one body is not another', () => {
    const one = bodyDigest('{"a":1}\n', '/_bulk');
    expect(body(one, 0)).toBe(body(bodyDigest(Buffer.from('{"a":1}\n'), '/_bulk'), 0));
    const others = [body(one, 1), body(bodyDigest('{"a":2}\n', '/_bulk'), 0)];
    expect(
      new Set([...others, body(bodyDigest('{"a":1}\n', '/b/_bulk'), 0), body(one, 0)]).size,
    ).toBe(4);
  });

  it('is a line with its time and its place among equals', () => {
    expect(line(['h', 't', '1.5', 'x'], 0)).toBe(line(['h', 't', '1.5', 'x'], 0));
    expect(new Set([line(['a', 'b'], 0), line(['ab', ''], 0), line(['a', 'b'], 1)]).size).toBe(3);
  });

  it('is none where nothing tells a repeat from what merely looks the same', () => {
    expect(eventIdOf(null, true)).toBeNull();
    expect(body('d', 0, false)).toBeNull();
    expect(line(['a'], 0, false)).toBeNull();
  });
});

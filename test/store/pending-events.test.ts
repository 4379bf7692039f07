/** What waits to be folded is bounded over all shards together, in bytes and in number. */
import { describe, expect, it } from 'vitest';
import { approximateBytes } from '../../src/domain/event/event-weight.ts';
import { PendingEvents, PendingRoom } from '../../src/store/elasticsearch/keeper/pending-events.ts';
import { anEvent } from './events.ts';

const at = (shard: string, seq: number, message = 'a line') => ({
  ...anEvent({ taskId: 't', eventId: 'e', message }),
  position: { shard, seq },
});
const BYTES = approximateBytes(at('a', 1));

describe('events that wait to be folded', () => {
  it('have one room for all shards: what no longer fits is not kept, and is read when its turn comes', () => {
    const room = new PendingRoom(3 * BYTES);
    const [a, b] = [new PendingEvents(room), new PendingEvents(room)];
    expect([a.add(at('a', 1)), a.add(at('a', 2)), b.add(at('b', 1))]).toEqual([true, true, true]);
    expect([a.add(at('a', 3)), b.add(at('b', 2))]).toEqual([false, false]);
    expect(b.has(2)).toBe(false);
    // Again, as after a retry: it takes no room twice.
    expect(a.add(at('a', 1))).toBe(true);
    expect(room).toMatchObject({ events: 3, bytes: 3 * BYTES });
    a.drop(0, 2);
    expect([b.add(at('b', 2)), b.add(at('b', 3)), b.add(at('b', 4))]).toEqual([true, true, false]);
    b.clear();
    expect(room).toMatchObject({ events: 0, bytes: 0 });
  });

  it('are weighed, not only counted: one long line takes the room of many', () => {
    const long = at('a', 1, 'x'.repeat(50_000));
    const room = new PendingRoom(approximateBytes(long));
    const events = new PendingEvents(room);
    expect(events.add(long)).toBe(true);
    expect(events.add(at('a', 2))).toBe(false);
  });

  it('are no more than fifty thousand, however short they are', () => {
    const room = new PendingRoom(Number.POSITIVE_INFINITY);
    const [a, b] = [new PendingEvents(room), new PendingEvents(room)];
    const event = at('a', 0);
    let taken = 0;
    for (let seq = 1; seq <= 30_000; seq++) {
      for (const [shard, events] of [
        ['a', a],
        ['b', b],
      ] as const) {
        if (events.add({ ...event, position: { shard, seq } })) taken++;
      }
    }
    expect(taken).toBe(50_000);
    expect(room.events).toBe(50_000);
  });
});

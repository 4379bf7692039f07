/** The newest events of all shards, each in a ring of its own, within one bound for all of them. */
import type { StoredEvent } from '../domain/event/event.ts';
import type { ShardCursor } from '../store/store.ts';
import { Ring } from './ring.ts';

/** All rings together; what is older is read from the store. */
const MAX_BYTES = 32 * 1024 * 1024;

interface Published {
  tick: number;
  shard: string;
  count: number;
}

export class Rings {
  readonly #maxEvents: number;
  readonly #rings = new Map<string, Ring>();
  /** What is in them, the oldest first. */
  readonly #published: Published[] = [];
  #oldestTick = 0;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  /** What was published at or below this tick may have left them. */
  get oldestTick(): number {
    return this.#oldestTick;
  }

  begin(shard: string, seq: number): void {
    this.#rings.set(shard, new Ring(seq));
  }

  forget(shard: string): void {
    this.#rings.delete(shard);
  }

  /** The ring that holds everything behind the cursor, where there is one. */
  behind({ shard, seq }: ShardCursor): Ring | null {
    const ring = this.#rings.get(shard);
    return ring !== undefined && seq >= ring.base ? ring : null;
  }

  /** The next events of a shard. */
  add(tick: number, shard: string, events: readonly StoredEvent[]): void {
    for (const event of events) this.#rings.get(shard)?.push(event);
    this.#note({ tick, shard, count: events.length });
  }

  /** Events were skipped: the shard goes on behind `seq`, with nothing of what was before it. */
  restart(tick: number, shard: string, seq: number): void {
    this.#rings.get(shard)?.restart(seq);
    this.#note({ tick, shard, count: 0 });
  }

  size(): { events: number; bytes: number } {
    let events = 0;
    let bytes = 0;
    for (const ring of this.#rings.values()) {
      events += ring.length;
      bytes += ring.bytes;
    }
    return { events, bytes };
  }

  #note(published: Published): void {
    this.#published.push(published);
    let { events, bytes } = this.size();
    while ((events > this.#maxEvents || bytes > MAX_BYTES) && this.#published.length > 1) {
      const oldest = this.#published.shift() as Published;
      this.#oldestTick = oldest.tick;
      const ring = this.#rings.get(oldest.shard);
      if (ring === undefined) continue;
      const before = ring.bytes;
      for (let i = 0; i < oldest.count && ring.length > 0; i++) {
        ring.evict();
        events--;
      }
      bytes -= before - ring.bytes;
    }
    if (this.#published.length > this.#maxEvents) {
      this.#oldestTick = (this.#published.shift() as Published).tick;
    }
  }
}

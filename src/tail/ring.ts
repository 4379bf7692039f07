/**
 * The newest events of one shard, in order: what feeds that are a little behind read instead of
 * the store. It holds every event in (base, head]; `evict` moves the base.
 */

import type { StoredEvent } from '../domain/event/event.ts';
import { approximateBytes } from '../domain/event/event-weight.ts';
import type { EventFilter } from '../domain/search/filter.ts';
import { matchesEvent } from '../domain/search/filter.ts';
import type { LogSlice } from '../store/store.ts';

/** Bytes of one read: it becomes one batch, which is one frame to its reader. */
const READ_BYTES = 1024 * 1024;

export class Ring {
  /** Everything at or below is no longer here. */
  base: number;
  bytes = 0;
  #events: StoredEvent[] = [];
  /** Index of the oldest event: shifting an array for each would be quadratic. */
  #first = 0;

  constructor(base: number) {
    this.base = base;
  }

  get length(): number {
    return this.#events.length - this.#first;
  }

  push(event: StoredEvent): void {
    this.#events.push(event);
    this.bytes += approximateBytes(event);
  }

  /** Forgets the oldest event. */
  evict(): void {
    const event = this.#events[this.#first];
    if (event === undefined) return;
    this.base = event.position.seq;
    this.bytes -= approximateBytes(event);
    this.#first++;
    if (this.#first > 1_024 && this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Forgets everything and goes on behind `seq`. */
  restart(seq: number): void {
    this.base = seq;
    this.bytes = 0;
    this.#events = [];
    this.#first = 0;
  }

  /**
   * As `Store.readLog`; only for `after` ≥ base, and of no more than a bounded weight. What it holds is
   * told whatever retention does.
   */
  read(after: number, to: number, filter: EventFilter, limit: number): LogSlice {
    const events: StoredEvent[] = [];
    let bytes = 0;
    for (let i = this.#indexBehind(after); i < this.#events.length; i++) {
      const event = this.#events[i] as StoredEvent;
      const { seq } = event.position;
      if (seq > to) break;
      if (!matchesEvent(filter, event)) continue;
      events.push(event);
      bytes += approximateBytes(event);
      if (events.length >= limit || bytes >= READ_BYTES)
        return { events, through: seq, droppedThrough: 0 };
    }
    return { events, through: to, droppedThrough: 0 };
  }

  #indexBehind(seq: number): number {
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle] as StoredEvent).position.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

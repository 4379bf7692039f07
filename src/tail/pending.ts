/**
 * Local replies beyond the head of a shard, until what lies between is known. All shards together
 * have a bound, in events and in bytes; beyond it a reply is not kept, and is read from the store
 * once the head comes to it.
 */
import type { StoredEvent } from '../domain/event/event.ts';
import { approximateBytes } from '../domain/event/event-weight.ts';

const MAX_EVENTS = 20_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** What the replies of all shards may weigh together. */
export class PendingRoom {
  events = 0;
  bytes = 0;

  isFull(): boolean {
    return this.events >= MAX_EVENTS || this.bytes >= MAX_BYTES;
  }
}

export class Pending {
  #room: PendingRoom;
  #events = new Map<number, StoredEvent>();
  /** Nothing at or below is kept. */
  #through = 0;

  constructor(room: PendingRoom) {
    this.#room = room;
  }

  add(event: StoredEvent): void {
    const { seq } = event.position;
    if (this.#events.has(seq) || this.#room.isFull()) return;
    this.#events.set(seq, event);
    this.#room.events++;
    this.#room.bytes += approximateBytes(event);
  }

  /** Takes the events that follow `head` without a hole. */
  takeBehind(head: number): StoredEvent[] {
    this.dropThrough(head);
    const taken: StoredEvent[] = [];
    for (let seq = head + 1; ; seq++) {
      const event = this.#events.get(seq);
      if (event === undefined) break;
      taken.push(event);
    }
    this.dropThrough(head + taken.length);
    return taken;
  }

  /**
   * Nothing at or below `head` is kept. Whichever is less is gone through: what is kept, or the
   * numbers up to the head, each of which the head passes only once.
   */
  dropThrough(head: number): void {
    if (head - this.#through > this.#events.size) {
      for (const seq of [...this.#events.keys()]) if (seq <= head) this.#drop(seq);
    } else {
      for (let seq = this.#through + 1; seq <= head; seq++) this.#drop(seq);
    }
    this.#through = Math.max(this.#through, head);
  }

  clear(): void {
    for (const seq of [...this.#events.keys()]) this.#drop(seq);
    this.#through = 0;
  }

  #drop(seq: number): void {
    const event = this.#events.get(seq);
    if (event === undefined) return;
    this.#events.delete(seq);
    this.#room.events--;
    this.#room.bytes -= approximateBytes(event);
  }
}

/**
 * Events that this server stored and that are not folded yet, of one shard; all shards share one
 * bound. Beyond it an event is not kept, and is read from the log when its turn comes.
 */
import type { StoredEvent } from '../../../domain/event/event.ts';
import { approximateBytes } from '../../../domain/event/event-weight.ts';

const EVENTS_MAX = 50_000;

/** What all shards hold together. */
export class PendingRoom {
  readonly #maxBytes: number;
  events = 0;
  bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  has(bytes: number): boolean {
    return this.events < EVENTS_MAX && this.bytes + bytes <= this.#maxBytes;
  }
}

export interface PendingEvent {
  event: StoredEvent;
  bytes: number;
  /** The states in memory hold it. */
  isFolded: boolean;
}

export class PendingEvents {
  readonly #room: PendingRoom;
  readonly #events = new Map<number, PendingEvent>();

  constructor(room: PendingRoom) {
    this.#room = room;
  }

  /** false: there is no room for it. */
  add(event: StoredEvent): boolean {
    const { seq } = event.position;
    const bytes = approximateBytes(event);
    if (this.#events.has(seq)) return true;
    if (!this.#room.has(bytes)) return false;
    this.#events.set(seq, { event, bytes, isFolded: false });
    this.#room.events++;
    this.#room.bytes += bytes;
    return true;
  }

  has(seq: number): boolean {
    return this.#events.has(seq);
  }

  get(seq: number): PendingEvent | undefined {
    return this.#events.get(seq);
  }

  /** Events of these tasks that are not folded into the states in memory yet. */
  unfolded(taskIds: ReadonlySet<string>): StoredEvent[] {
    return [...this.#events.values()].flatMap(({ event, isFolded }) =>
      !isFolded && taskIds.has(event.taskId) ? [event] : [],
    );
  }

  folded(events: readonly StoredEvent[]): void {
    for (const { position } of events) {
      const pending = this.#events.get(position.seq);
      if (pending !== undefined) pending.isFolded = true;
    }
  }

  /** Drops the events of (after, through]. */
  drop(after: number, through: number): void {
    for (let seq = after + 1; seq <= through; seq++) this.#drop(seq);
  }

  clear(): void {
    for (const seq of [...this.#events.keys()]) this.#drop(seq);
  }

  #drop(seq: number): void {
    const pending = this.#events.get(seq);
    if (pending === undefined) return;
    this.#events.delete(seq);
    this.#room.events--;
    this.#room.bytes -= pending.bytes;
  }
}

/**
 * One per process: the log in order, as it becomes durable.
 *
 * Replies of local appends are kept per shard until they are contiguous with what was followed,
 * and then published at once. What others wrote, and what a lost reply left open, is read from the
 * store. Each publication is a tick: at a tick the follower has seen exactly `heads`, so a feed
 * that is whole up to a tick is whole up to those positions.
 */
import type { StoredEvent } from '../domain/event.ts';
import type { Log } from '../log.ts';
import type { ShardCursor, ShardHead, Store } from '../store/store.ts';
import { type Heads, seqOf, withHead } from './heads.ts';
import { Ring } from './ring.ts';

/** All rings together; what is older is read from the store. */
const RING_BYTES = 32 * 1024 * 1024;
/** How long a hole between local replies may stay open before the store is asked. */
const HOLE_PATIENCE_MS = 50;
const POLL_BUSY_MS = 250;
const POLL_QUIET_MS = 5_000;
const POLL_FAILING_MS = 500;
const READ_LIMIT = 1_000;

export interface Publication {
  tick: number;
  /** Of one shard, in order; may be empty where a shard only moved. */
  events: StoredEvent[];
  /** After it. */
  heads: Heads;
  /** true: events of this shard were skipped (nobody followed it), so it is not whole. */
  skipped: string | null;
}

type Listener = (publication: Publication) => void;

interface Followed {
  ring: Ring;
  history: number;
  head: number;
  /** Local replies beyond the head, by seq. */
  pending: Map<number, StoredEvent>;
}

export class Follower {
  #store: Store;
  #log: Log;
  #ringEvents: number;
  #shards = new Map<string, Followed>();
  #heads: Heads = new Map();
  #tick = 0;
  #oldestTick = 0;
  #listeners = new Set<Listener>();
  #following = 0;
  #timer: NodeJS.Timeout | null = null;
  #polling: Promise<void> | null = null;
  #closed = false;
  #started = false;
  #failing = false;
  #ringTicks: { tick: number; shard: string; count: number }[] = [];

  /** `ringEvents`: how many events all rings together may hold. */
  constructor(store: Store, log: Log, ringEvents: number) {
    this.#store = store;
    this.#log = log;
    this.#ringEvents = ringEvents;
  }

  /** Learns where the log stands. Until then nothing can be followed. */
  async start(): Promise<void> {
    for (const head of await this.#store.heads(null)) this.#adopt(head, head.seq);
    this.#started = true;
    this.#schedule();
  }

  get started(): boolean {
    return this.#started;
  }
  get tick(): number {
    return this.#tick;
  }
  get heads(): Heads {
    return this.#heads;
  }
  /** Publications at or below this tick may have left the rings. */
  get oldestTick(): number {
    return this.#oldestTick;
  }

  onPublish(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Someone follows from here on: what others write is looked for. */
  follow(): () => void {
    this.#following++;
    if (this.#following === 1) this.#schedule();
    let released = false;
    return () => {
      if (!released) this.#following--;
      released = true;
    };
  }

  /** Local replies: stored events in the order of one append. */
  offer(events: readonly StoredEvent[]): void {
    if (this.#closed || !this.#started) return;
    const touched = new Set<string>();
    for (const event of events) {
      const { shard, seq } = event.position;
      const followed = this.#shards.get(shard);
      // A shard not known yet is found by the poll, from its beginning.
      if (followed === undefined || seq <= followed.head) continue;
      followed.pending.set(seq, event);
      touched.add(shard);
    }
    for (const shard of touched) this.#advanceFromPending(shard);
    if (events.some(({ position }) => this.#hasHole(position.shard))) this.#schedule();
  }

  /** Resolves when the head of each shard is at or beyond what the store has settled now. */
  async catchUp(taskId: string | null): Promise<ShardHead[]> {
    const settled = await this.#store.heads(taskId);
    if (taskId === null) this.#forgetAllBut(settled);
    for (const head of settled) await this.#reach(head);
    return settled;
  }

  /** The ring that holds everything behind `after`, where there is one. */
  ringBehind(cursor: ShardCursor): Ring | null {
    const followed = this.#shards.get(cursor.shard);
    return followed !== undefined && cursor.seq >= followed.ring.base ? followed.ring : null;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  metrics(): Record<string, number> {
    let events = 0;
    let bytes = 0;
    for (const { ring } of this.#shards.values()) {
      events += ring.length;
      bytes += ring.bytes;
    }
    return {
      tail_ring_events: events,
      tail_ring_bytes: bytes,
      tail_publications_total: this.#tick,
    };
  }

  #adopt(head: ShardHead, from: number): Followed {
    const followed: Followed = {
      ring: new Ring(from),
      history: head.history,
      head: from,
      pending: new Map(),
    };
    this.#shards.set(head.shard, followed);
    this.#heads = withHead(this.#heads, { shard: head.shard, history: head.history, seq: from });
    return followed;
  }

  #hasHole(shard: string): boolean {
    const followed = this.#shards.get(shard);
    return followed === undefined || followed.pending.size > 0;
  }

  #advanceFromPending(shard: string): void {
    const followed = this.#shards.get(shard) as Followed;
    for (const seq of followed.pending.keys()) {
      if (seq <= followed.head) followed.pending.delete(seq);
    }
    const events: StoredEvent[] = [];
    for (;;) {
      const next = followed.pending.get(followed.head + events.length + 1);
      if (next === undefined) break;
      events.push(next);
    }
    for (const event of events) followed.pending.delete(event.position.seq);
    if (events.length > 0) this.#publish(shard, events, followed.head + events.length, false);
  }

  #publish(shard: string, events: StoredEvent[], head: number, skipped: boolean): void {
    const followed = this.#shards.get(shard) as Followed;
    this.#tick++;
    followed.head = head;
    if (skipped) followed.ring.restart(head);
    else for (const event of events) followed.ring.push(event);
    this.#ringTicks.push({ tick: this.#tick, shard, count: skipped ? 0 : events.length });
    this.#heads = withHead(this.#heads, { shard, history: followed.history, seq: head });
    this.#evict();
    const publication: Publication = {
      tick: this.#tick,
      events,
      heads: this.#heads,
      skipped: skipped ? shard : null,
    };
    for (const listener of this.#listeners) listener(publication);
  }

  #evict(): void {
    let events = 0;
    let bytes = 0;
    for (const { ring } of this.#shards.values()) {
      events += ring.length;
      bytes += ring.bytes;
    }
    while ((events > this.#ringEvents || bytes > RING_BYTES) && this.#ringTicks.length > 1) {
      const oldest = this.#ringTicks.shift();
      if (oldest === undefined) break;
      this.#oldestTick = oldest.tick;
      const ring = this.#shards.get(oldest.shard)?.ring;
      if (ring === undefined) continue;
      const before = ring.bytes;
      for (let i = 0; i < oldest.count && ring.length > 0; i++) {
        ring.evict();
        events--;
      }
      bytes -= before - ring.bytes;
    }
    if (this.#ringTicks.length > this.#ringEvents) {
      this.#oldestTick = (this.#ringTicks.shift() as { tick: number }).tick;
    }
  }

  /** Reads on until `settled`; where nobody follows, jumps. */
  async #reach(settled: ShardHead): Promise<void> {
    const known = this.#shards.get(settled.shard);
    const followed = known ?? this.#adopt(settled, this.#following > 0 ? 0 : settled.seq);
    if (followed.history !== settled.history) this.#restart(settled, followed);
    while (!this.#closed && followed.head < settled.seq) {
      if (this.#following === 0) {
        this.#publish(settled.shard, [], settled.seq, true);
        this.#advanceFromPending(settled.shard);
        break;
      }
      const from = followed.head;
      const slice = await this.#store.readLog(
        { shard: settled.shard, history: followed.history, seq: from },
        settled.seq,
        null,
        READ_LIMIT,
      );
      // Local replies may have moved the head meanwhile.
      const fresh = slice.events.filter(({ position }) => position.seq > followed.head);
      if (slice.through > followed.head) {
        this.#publish(settled.shard, fresh, slice.through, false);
        this.#advanceFromPending(settled.shard);
      }
      if (slice.through <= from && followed.head === from) return;
    }
  }

  /** The store's history changed under us: feeds find out by their cursors. */
  #restart(settled: ShardHead, followed: Followed): void {
    this.#log.warn({ shard: settled.shard }, 'the history of a shard changed; following anew');
    followed.history = settled.history;
    followed.pending.clear();
    this.#publish(settled.shard, [], settled.seq, true);
  }

  /** Retention removes whole shards. */
  #forgetAllBut(settled: readonly ShardHead[]): void {
    const there = new Set(settled.map(({ shard }) => shard));
    for (const shard of this.#shards.keys()) {
      if (there.has(shard)) continue;
      this.#shards.delete(shard);
      this.#heads = new Map([...this.#heads].filter(([name]) => name !== shard));
    }
  }

  #schedule(): void {
    if (this.#closed || !this.#started || this.#timer !== null) return;
    const hole = [...this.#shards.values()].some(({ pending }) => pending.size > 0);
    if (!hole && !this.#store.shared) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#polling ??= this.#poll().finally(() => {
        this.#polling = null;
        this.#schedule();
      });
    }, this.#pollDelay(hole));
    this.#timer.unref();
  }

  #pollDelay(hole: boolean): number {
    if (this.#failing) return POLL_FAILING_MS;
    if (hole) return HOLE_PATIENCE_MS;
    return this.#following > 0 ? POLL_BUSY_MS : POLL_QUIET_MS;
  }

  async #poll(): Promise<void> {
    try {
      const settled = await this.#store.heads(null);
      this.#forgetAllBut(settled);
      for (const head of settled) {
        if (head.seq !== seqOf(this.#heads, head.shard) || !this.#shards.has(head.shard)) {
          await this.#reach(head);
        }
      }
      if (this.#failing) this.#log.info('the log is followed again');
      this.#failing = false;
    } catch (error) {
      // Once for an outage, not at every poll of it.
      if (!this.#failing) {
        this.#log.warn({ err: error }, 'the log cannot be followed; trying again until it can');
      }
      this.#failing = true;
    }
  }
}

/**
 * One per process: the log in order, as it becomes durable.
 *
 * Replies of local appends are kept per shard until they are contiguous with what was followed,
 * and then published at once. What others wrote, and what a lost reply left open, is read from the
 * store. Each publication is a tick: at a tick the follower has seen exactly `heads`, so a feed
 * that is whole up to a tick is whole up to those positions.
 */
import { dayOfShard } from '../domain/cursor/cursor.ts';
import type { StoredEvent } from '../domain/event/event.ts';
import { guarded } from '../guarded.ts';
import type { Log } from '../log.ts';
import { Signal } from '../signal.ts';
import type { ShardCursor, ShardHead, Store } from '../store/store.ts';
import { type Heads, seqOf, withHead } from './heads.ts';
import { isPassing } from './patience.ts';
import { Pending, PendingRoom } from './pending.ts';
import { Ring } from './ring.ts';

const DAY_MS = 86_400_000;
/** All rings together; what is older is read from the store. */
const RING_BYTES = 32 * 1024 * 1024;
/** How long a hole between local replies may stay open before the store is asked. */
const HOLE_PATIENCE_MS = 50;
const POLL_BUSY_MS = 250;
const POLL_QUIET_MS = 5_000;
const POLL_FAILING_MS = 500;
const READ_LIMIT = 1_000;
/** How often it is asked whether a shard that is not among the heads is gone or away for a while. */
const AWAY_CHECK_MS = 5_000;

export interface Publication {
  tick: number;
  /** Of one shard, in order; may be empty where a shard only moved. */
  events: StoredEvent[];
  /** After it. */
  heads: Heads;
  /** Of this shard events were skipped (nobody followed it, or it is new here), so it is not whole. */
  skipped: string | null;
}

type Listener = (publication: Publication) => void;

interface Followed {
  shard: string;
  ring: Ring;
  history: number;
  head: number;
  /** As far as it is known to go. */
  settled: number;
  /** Local replies beyond the head. */
  pending: Pending;
  /** It cannot be read now, and that was said. */
  failing: boolean;
}

export interface FollowerOptions {
  store: Store;
  log: Log;
  /** How many events all rings together may hold. */
  ringEvents: number;
  now: () => number;
}

export class Follower {
  #store: Store;
  #log: Log;
  #ringEvents: number;
  #shards = new Map<string, Followed>();
  #heads: Heads = new Map();
  #room = new PendingRoom();
  /** Where shards begin for those who follow already; those that are not here: at 0. */
  #starts = new Map<string, number>();
  /** The least seq of local replies in shards that are not known yet. */
  #early = new Map<string, number>();
  #reaching = new Map<string, Promise<void>>();
  #startDay = 0;
  #now: () => number;
  #awayCheckedAt = Number.NEGATIVE_INFINITY;
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

  constructor({ store, log, ringEvents, now }: FollowerOptions) {
    this.#store = store;
    this.#log = log;
    this.#ringEvents = ringEvents;
    this.#now = now;
  }

  /** Learns where the log stands. Until then nothing can be followed. */
  async start(): Promise<void> {
    this.#startDay = Math.floor(this.#now() / DAY_MS);
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

  /** One that throws harms neither the append that is published nor the other listeners. */
  onPublish(listener: Listener): () => void {
    let told: Publication | null = null;
    const tell = guarded(this.#log, 'a follower of the log', () => {
      if (told !== null) listener(told);
    });
    const guardedListener = (publication: Publication) => {
      told = publication;
      tell();
    };
    this.#listeners.add(guardedListener);
    return () => this.#listeners.delete(guardedListener);
  }

  /** Someone follows from here on: what others write is looked for. */
  follow(): () => void {
    this.#following++;
    if (this.#following === 1) {
      // The next look was planned for a time in which nobody followed.
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
      this.#schedule();
    }
    let released = false;
    return () => {
      if (!released) this.#following--;
      released = true;
    };
  }

  /** Where a shard begins for a reader that follows already and has no position in it. */
  startOf(shard: string): number {
    return this.#starts.get(shard) ?? 0;
  }

  /** Local replies: stored events in the order of one append. */
  offer(events: readonly StoredEvent[]): void {
    if (this.#closed || !this.#started) return;
    const touched = new Set<Followed>();
    for (const event of events) {
      const { shard, seq } = event.position;
      const followed = this.#shards.get(shard);
      if (followed === undefined) {
        // The poll finds it, and begins at the latest here.
        this.#early.set(shard, Math.min(seq, this.#early.get(shard) ?? seq));
        continue;
      }
      if (seq <= followed.head) continue;
      followed.settled = Math.max(followed.settled, seq);
      followed.pending.add(event);
      touched.add(followed);
    }
    for (const followed of touched) this.#advanceFromPending(followed);
    if (this.#isBehind()) this.#schedule();
  }

  /**
   * Resolves when the head of each shard is at or beyond what the store has settled now. A shard
   * that cannot be read now is left to the poll: the others do not wait for it.
   */
  async catchUp(taskId: string | null): Promise<ShardHead[]> {
    const settled = await this.#store.heads(taskId);
    if (taskId === null) await this.#forgetGone(settled);
    await Promise.all(
      settled.map(async (head) => {
        try {
          await this.#reach(head);
        } catch (error) {
          if (!isPassing(error)) throw error;
        }
      }),
    );
    if (this.#isBehind()) this.#schedule();
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
      tail_pending_events: this.#room.events,
      tail_pending_bytes: this.#room.bytes,
      tail_publications_total: this.#tick,
    };
  }

  #adopt(head: ShardHead, from: number): Followed {
    const followed: Followed = {
      shard: head.shard,
      ring: new Ring(from),
      history: head.history,
      head: from,
      settled: head.seq,
      pending: new Pending(this.#room),
      failing: false,
    };
    this.#shards.set(head.shard, followed);
    this.#heads = withHead(this.#heads, { shard: head.shard, history: head.history, seq: from });
    return followed;
  }

  /**
   * A shard that is seen for the first time. One of today was begun while we followed, so all of it
   * is new. One of an older day was away when we began: what is in it is old, and new is what comes.
   */
  #meet(head: ShardHead): Followed {
    const day = dayOfShard(head.shard);
    const isOld = day !== null && day < this.#startDay;
    const early = this.#early.get(head.shard) ?? Number.POSITIVE_INFINITY;
    this.#early.delete(head.shard);
    if (this.#following === 0) return this.#adopt(head, head.seq);
    if (!isOld) return this.#adopt(head, 0);
    const from = Math.min(head.seq, early - 1);
    const followed = this.#adopt(head, from);
    this.#starts.set(head.shard, from);
    // Readers whose cursor names it read on from there.
    this.#publish(followed, [], from, true);
    return followed;
  }

  /** Something is in the store that was not followed yet. */
  #isBehind(): boolean {
    if (this.#early.size > 0) return true;
    for (const { head, settled } of this.#shards.values()) if (head < settled) return true;
    return false;
  }

  #advanceFromPending(followed: Followed): void {
    const events = followed.pending.takeBehind(followed.head);
    if (events.length > 0) this.#publish(followed, events, followed.head + events.length, false);
  }

  #publish(followed: Followed, events: StoredEvent[], head: number, skipped: boolean): void {
    const { shard } = followed;
    this.#tick++;
    followed.head = head;
    followed.settled = Math.max(followed.settled, head);
    followed.pending.dropThrough(head);
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

  /** Reads on until `settled`; where nobody follows, jumps. Stops where nothing can be proven now. */
  async #reach(settled: ShardHead): Promise<void> {
    const followed = this.#shards.get(settled.shard) ?? this.#meet(settled);
    if (followed.history !== settled.history) this.#restart(settled, followed);
    followed.settled = Math.max(followed.settled, settled.seq);
    while (!this.#closed && followed.head < settled.seq) {
      if (this.#following === 0) {
        this.#publish(followed, [], settled.seq, true);
        this.#advanceFromPending(followed);
        break;
      }
      const from = followed.head;
      const slice = await this.#store.readLog(
        { shard: settled.shard, history: followed.history, seq: from },
        settled.seq,
        null,
        READ_LIMIT,
      );
      // Meanwhile it may be gone, or local replies may have moved the head.
      if (this.#shards.get(settled.shard) !== followed) return;
      const fresh = slice.events.filter(({ position }) => position.seq > followed.head);
      if (slice.through > followed.head) {
        this.#publish(followed, fresh, slice.through, false);
        this.#advanceFromPending(followed);
      }
      if (slice.through <= from && followed.head === from) return;
    }
  }

  /** The store's history changed under us: feeds find out by their cursors. */
  #restart(settled: ShardHead, followed: Followed): void {
    this.#log.warn({ shard: settled.shard }, 'the history of a shard changed; following anew');
    followed.history = settled.history;
    followed.settled = settled.seq;
    followed.pending.clear();
    this.#publish(followed, [], settled.seq, true);
  }

  /** Retention removes whole shards; others are only away, and go on where they were. */
  async #forgetGone(settled: readonly ShardHead[]): Promise<void> {
    const there = new Set(settled.map(({ shard }) => shard));
    const missing = [...this.#heads.values()].filter(({ shard }) => !there.has(shard));
    const now = performance.now();
    if (missing.length === 0 || now - this.#awayCheckedAt < AWAY_CHECK_MS) return;
    this.#awayCheckedAt = now;
    const checks = await this.#store.checkCursors(missing);
    for (const [i, { shard }] of missing.entries()) {
      if (checks[i]?.state === 'live') continue;
      this.#shards.get(shard)?.pending.clear();
      this.#shards.delete(shard);
      this.#starts.delete(shard);
      this.#heads = new Map([...this.#heads].filter(([name]) => name !== shard));
    }
  }

  #schedule(): void {
    if (this.#closed || !this.#started || this.#timer !== null || this.#polling !== null) return;
    const behind = this.#isBehind();
    if (!behind && !this.#store.shared) return;
    this.#timer = setTimeout(
      guarded(this.#log, 'following the log', () => {
        this.#timer = null;
        this.#polling ??= this.#poll().finally(() => {
          this.#polling = null;
          this.#schedule();
        });
        return this.#polling;
      }),
      this.#pollDelay(behind),
    );
    this.#timer.unref();
  }

  #pollDelay(behind: boolean): number {
    if (this.#failing) return POLL_FAILING_MS;
    if (behind) return HOLE_PATIENCE_MS;
    return this.#following > 0 ? POLL_BUSY_MS : POLL_QUIET_MS;
  }

  async #poll(): Promise<void> {
    try {
      const settled = await this.#store.heads(null);
      await this.#forgetGone(settled);
      const moved = settled.filter(
        ({ shard, history, seq }) =>
          seq !== seqOf(this.#heads, shard) || history !== this.#heads.get(shard)?.history,
      );
      // One that takes long is not waited for: the others go on.
      const reaching = moved.map((head) => this.#reachOnce(head));
      const reached = new Signal();
      void Promise.all(reaching).then(() => reached.wake());
      await reached.wait(POLL_BUSY_MS);
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

  /** One read of a shard at a time; it says once that it fails. */
  #reachOnce(settled: ShardHead): Promise<void> {
    const { shard } = settled;
    const running = this.#reaching.get(shard);
    if (running !== undefined) return running;
    const reached = this.#reach(settled)
      .then(
        () => this.#setFailing(shard, null),
        (error: unknown) => this.#setFailing(shard, error),
      )
      .finally(() => this.#reaching.delete(shard));
    this.#reaching.set(shard, reached);
    return reached;
  }

  #setFailing(shard: string, error: unknown): void {
    const followed = this.#shards.get(shard);
    if (followed === undefined || followed.failing === (error !== null)) return;
    followed.failing = error !== null;
    if (error === null) this.#log.info({ shard }, 'a shard is followed again');
    else this.#log.warn({ err: error, shard }, 'a shard cannot be followed; trying until it can');
  }
}

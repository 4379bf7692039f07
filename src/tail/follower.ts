/**
 * One per process: the log in order, as it becomes durable.
 *
 * Replies of local appends are kept per shard until they are contiguous with what was followed,
 * and then published at once. What others wrote, and what a lost reply left open, is read from the
 * store. Each publication is a tick: at a tick the follower has seen exactly `heads`, so a feed
 * that is whole up to a tick is whole up to those positions.
 */
import { dayOfShard, dayOfTime } from '../domain/cursor/cursor.ts';
import type { StoredEvent } from '../domain/event/event.ts';
import type { Log } from '../log.ts';
import { Signal } from '../signal.ts';
import type { ShardCursor, ShardHead, Store } from '../store/store.ts';
import { type Heads, seqOf, withHead } from './heads.ts';
import { isPassing } from './patience.ts';
import { Pending, PendingRoom } from './pending.ts';
import { Poll } from './poll.ts';
import { type Listener, Publications } from './publications.ts';
import type { Ring } from './ring.ts';
import { Rings } from './rings.ts';
import { SharedCalls } from './shared-calls.ts';
import { Turns } from './turns.ts';

/** How long one look into the store waits for shards that take long. */
const REACH_MS = 250;
const READ_LIMIT = 1_000;
/** Questions where the log is, of readers that begin. */
const HEADS_AT_A_TIME = 32;
/** How often it is asked whether a shard that is not among the heads is gone or away for a while. */
const AWAY_CHECK_MS = 5_000;

interface Followed {
  shard: string;
  history: number;
  head: number;
  /** The greatest settled seq that is known of the shard. */
  settled: number;
  /** Up to here it is read, for somebody who needs it. */
  wanted: number;
  isReading: boolean;
  /** Resolves when it is read so far, or cannot be now. */
  read: Promise<void>;
  /** Local replies beyond the head. */
  pending: Pending;
  /** The shard cannot be read now, which the log says already. */
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
  readonly #rings: Rings;
  #shards = new Map<string, Followed>();
  #heads: Heads = new Map();
  #room = new PendingRoom();
  /** Where shards begin for those who follow already; those that are not here: at 0. */
  #starts = new Map<string, number>();
  /** The least seq of local replies in shards that are not known yet. */
  #early = new Map<string, number>();
  /** Heads of one task, for all whose reading begins at the same time. */
  readonly #asked = new SharedCalls<ShardHead[]>();
  readonly #turns = new Turns(HEADS_AT_A_TIME);
  #startDay = 0;
  #now: () => number;
  #awayCheckedAt = Number.NEGATIVE_INFINITY;
  #tick = 0;
  readonly #publications: Publications;
  #following = 0;
  readonly #poll: Poll;
  #closed = false;
  #started = false;

  constructor({ store, log, ringEvents, now }: FollowerOptions) {
    this.#store = store;
    this.#log = log;
    this.#publications = new Publications(log);
    this.#rings = new Rings(ringEvents);
    this.#now = now;
    this.#poll = new Poll({
      log,
      look: () => this.#look(),
      urgency: () => {
        if (!this.#started) return 'never';
        if (this.#isBehind()) return 'behind';
        if (!this.#store.shared) return 'never';
        return this.#following > 0 ? 'followed' : 'nobody';
      },
    });
  }

  /** Learns where the log stands. Until then nothing can be followed. */
  async start(): Promise<void> {
    this.#startDay = dayOfTime(this.#now());
    for (const head of await this.#store.heads(null)) this.#adopt(head, head.seq);
    this.#started = true;
    this.#poll.plan();
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
    return this.#rings.oldestTick;
  }

  onPublish(listener: Listener): () => void {
    return this.#publications.listen(listener);
  }

  /** Someone follows from here on: what others write is looked for. */
  follow(): () => void {
    this.#following++;
    // The next look was planned for a time in which nobody followed.
    if (this.#following === 1) this.#poll.planAnew();
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
        // The next look finds the shard, and follows it from here or from earlier.
        this.#early.set(shard, Math.min(seq, this.#early.get(shard) ?? seq));
        continue;
      }
      if (seq <= followed.head) continue;
      followed.settled = Math.max(followed.settled, seq);
      followed.pending.add(event);
      touched.add(followed);
    }
    for (const followed of touched) this.#advanceFromPending(followed);
    if (this.#isBehind()) this.#poll.plan();
  }

  /**
   * Resolves when the head of each shard is at or beyond what the store has settled now. A shard
   * that cannot be read now is left to the poll: the others do not wait for it.
   */
  async catchUp(taskId: string | null): Promise<ShardHead[]> {
    const settled = await this.#settledHeads(taskId);
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
    if (this.#isBehind()) this.#poll.plan();
    return settled;
  }

  /** As of now or later. */
  #settledHeads(taskId: string | null): Promise<ShardHead[]> {
    const ask = () => this.#turns.take(() => this.#store.heads(taskId));
    return this.#asked.next(JSON.stringify(taskId), ask);
  }

  /** The ring that holds everything behind `after`, where there is one. */
  ringBehind(cursor: ShardCursor): Ring | null {
    return this.#rings.behind(cursor);
  }

  close(): void {
    this.#closed = true;
    this.#poll.close();
    this.#publications.close();
  }

  metrics(): Record<string, number> {
    const { events, bytes } = this.#rings.size();
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
      history: head.history,
      head: from,
      settled: head.seq,
      wanted: head.seq,
      isReading: false,
      read: Promise.resolve(),
      pending: new Pending(this.#room),
      failing: false,
    };
    this.#shards.set(head.shard, followed);
    this.#rings.begin(head.shard, from);
    this.#heads = withHead(this.#heads, { shard: head.shard, history: head.history, seq: from });
    return followed;
  }

  /**
   * A shard that is seen for the first time. One of today was begun while we followed, so all of it
   * is new. One of an older day was away when we began: what is in it is old, and new is what comes.
   */
  #meet(head: ShardHead): Followed {
    const day = dayOfShard(head.shard);
    // The clock may have been ahead when we began.
    const isOld = day !== null && day < Math.min(this.#startDay, dayOfTime(this.#now()));
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
    if (skipped) this.#rings.restart(this.#tick, shard, head);
    else this.#rings.add(this.#tick, shard, events);
    this.#heads = withHead(this.#heads, { shard, history: followed.history, seq: head });
    this.#publications.tell({
      tick: this.#tick,
      events,
      heads: this.#heads,
      skipped: skipped ? shard : null,
    });
  }

  /**
   * Resolves when the head is at or beyond `settled`, or where nothing can be proven now. One reads a
   * shard at a time: whoever needs it meanwhile has it read as far.
   */
  #reach(settled: ShardHead): Promise<void> {
    const followed = this.#shards.get(settled.shard) ?? this.#meet(settled);
    if (followed.history !== settled.history) this.#restart(settled, followed);
    followed.settled = Math.max(followed.settled, settled.seq);
    followed.wanted = Math.max(followed.wanted, settled.seq);
    if (!followed.isReading) followed.read = this.#readOn(followed);
    return followed.read;
  }

  /** Reads on until what is wanted; where nobody follows, jumps. */
  async #readOn(followed: Followed): Promise<void> {
    const { shard, history } = followed;
    followed.isReading = true;
    try {
      while (!this.#closed && followed.head < followed.wanted) {
        if (this.#following === 0) {
          this.#publish(followed, [], followed.wanted, true);
          this.#advanceFromPending(followed);
          break;
        }
        const from = followed.head;
        const at = { shard, history, seq: from };
        const slice = await this.#store.readLog(at, followed.wanted, null, READ_LIMIT);
        // Meanwhile it may be gone or another, or local replies may have moved the head.
        if (this.#shards.get(shard) !== followed || followed.history !== history) return;
        const fresh = slice.events.filter(({ position }) => position.seq > followed.head);
        if (slice.through > followed.head) {
          this.#publish(followed, fresh, slice.through, false);
          this.#advanceFromPending(followed);
        }
        if (slice.through <= from && followed.head === from) return;
      }
    } finally {
      followed.isReading = false;
    }
  }

  /** The store's history changed under us: feeds find out by their cursors. */
  #restart(settled: ShardHead, followed: Followed): void {
    this.#log.warn({ shard: settled.shard }, 'the history of a shard changed; following anew');
    followed.history = settled.history;
    followed.settled = settled.seq;
    followed.wanted = settled.seq;
    followed.pending.clear();
    this.#publish(followed, [], settled.seq, true);
  }

  /** Retention removes whole shards; others are only away, and go on where they were. */
  async #forgetGone(settled: readonly ShardHead[]): Promise<void> {
    const there = new Set(settled.map(({ shard }) => shard));
    const missing = [...this.#heads.values()].filter(({ shard }) => !there.has(shard));
    const early = [...this.#early.keys()].filter((shard) => !there.has(shard));
    const now = performance.now();
    const isNone = missing.length === 0 && early.length === 0;
    if (isNone || now - this.#awayCheckedAt < AWAY_CHECK_MS) return;
    this.#awayCheckedAt = now;
    const gone = await this.#goneOf(missing);
    if (early.length > 0) await this.#forgetEarly(early);
    for (const shard of gone) {
      this.#shards.get(shard)?.pending.clear();
      this.#shards.delete(shard);
      this.#rings.forget(shard);
      this.#starts.delete(shard);
      this.#heads = new Map([...this.#heads].filter(([name]) => name !== shard));
    }
  }

  /** Replies that came late, for shards that were removed, are waited for by nobody. */
  async #forgetEarly(shards: readonly string[]): Promise<void> {
    const gone = await this.#goneOf(shards.map((shard) => ({ shard, history: 0, seq: 0 })));
    // No history is known of them: one that came back meanwhile is taken for another, and is there.
    const there = new Set((await this.#store.heads(null)).map(({ shard }) => shard));
    for (const shard of gone) if (!there.has(shard)) this.#early.delete(shard);
  }

  /** Which of them are not only away. */
  async #goneOf(missing: readonly ShardCursor[]): Promise<string[]> {
    const checks = await this.#store.checkCursors(missing);
    return missing.flatMap(({ shard }, i) => (checks[i]?.state === 'live' ? [] : [shard]));
  }

  /** What others wrote, and what a lost reply left open. */
  async #look(): Promise<void> {
    const settled = await this.#store.heads(null);
    await this.#forgetGone(settled);
    const moved = settled.filter(
      ({ shard, history, seq }) =>
        seq !== seqOf(this.#heads, shard) || history !== this.#heads.get(shard)?.history,
    );
    // One that takes long is not waited for: the others go on.
    const reached = new Signal();
    void Promise.all(moved.map((head) => this.#reachOrSay(head))).then(() => reached.wake());
    await reached.wait(REACH_MS);
  }

  /** It says once that a shard fails. */
  async #reachOrSay(settled: ShardHead): Promise<void> {
    try {
      await this.#reach(settled);
      this.#setFailing(settled.shard, null);
    } catch (error) {
      this.#setFailing(settled.shard, error);
    }
  }

  #setFailing(shard: string, error: unknown): void {
    const followed = this.#shards.get(shard);
    if (followed === undefined || followed.failing === (error !== null)) return;
    followed.failing = error !== null;
    if (error === null) this.#log.info({ shard }, 'a shard is followed again');
    else this.#log.warn({ err: error, shard }, 'a shard cannot be followed; trying until it can');
  }
}

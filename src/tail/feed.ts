/**
 * One subscription to events: catches up from the store (or the rings) with the filter pushed
 * down, then follows its channel. It holds no events of its own, so a slow or dead reader costs
 * nothing: when it is too far behind its channel it simply catches up again.
 */
import type { StoredEvent } from '../domain/event/event.ts';
import type { PullSource } from '../pull-iterator.ts';
import { Signal, type Wait } from '../signal.ts';
import type { LogSlice, ShardCursor } from '../store/store.ts';
import type { Channel, Node } from './channel.ts';
import type { Follower } from './follower.ts';
import { expired, isNewBehind, startBehind, startNow } from './feed-start.ts';
import { furthest, type Heads, headsOf, seqOf, withHead, within } from './heads.ts';
import { isPassing, Patience } from './patience.ts';
import type { Reads } from './reads.ts';
import type { Removals } from './removals.ts';
import type { TailBatch, TailGap } from './tail.ts';

const BATCH_EVENTS = 500;
/** Before asking the store again for a range that it could not prove whole. */
const RETRY_MS = 50;

export interface FeedOptions {
  store: Reads;
  follower: Follower;
  channel: Channel;
  now: () => number;
  heartbeatMs: number;
  /** Where to begin: null = now. */
  after: ShardCursor[] | null;
  /** Begin with the newest of these, stored. */
  last: number | null;
  cursorOf: (heads: Heads) => string;
  onDispose: () => void;
  counters: { delivered: number; catchUps: number };
}

export class Feed implements PullSource<TailBatch> {
  #options: FeedOptions;
  #position: Heads = new Map();
  /** Where the log was when it resumed: before that is told it has not caught up. */
  #goal: Heads = new Map();
  /** Shards of the cursor that are away: they stay in it. */
  #away: Heads = new Map();
  #removals: Removals | null = null;
  /** The newest day of the cursor it came with; null: it came without one. */
  #since: number | null = null;
  #patience = new Patience();
  /** Shards whose last read failed: it may have taken seconds, so the others are read first. */
  readonly #failing = new Set<string>();
  /** For pauses that only time ends. */
  #alone = new Signal();
  #waiting: Wait | null = null;
  #begun = false;
  /** Live: whole up to this tick of the follower. null: catching up. */
  #tick: number | null = null;
  /** What the last batch said. */
  #toldCaughtUp = false;
  #gap: TailGap | null = null;
  #disposed = false;
  #release: (() => void) | null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#release = options.follower.follow();
  }

  async pull(): Promise<TailBatch | null> {
    const due = performance.now() + this.#options.heartbeatMs;
    while (!this.#disposed) {
      const batch = await this.#patiently(() => this.#step());
      if (batch !== null) return this.#deliver(batch);
      // Far behind under a quiet filter, or in an outage: how far it came is told all the same.
      const behind = this.#begun && this.#tick === null;
      if (behind && performance.now() >= due) return this.#deliver(this.#batch([], false));
    }
    return null;
  }

  #step(): Promise<TailBatch | null> {
    if (!this.#begun) return this.#begin();
    return this.#tick === null ? this.#catchUp() : this.#live(this.#tick);
  }

  /** A store that is away for a while is waited for: the reader has lost nothing. */
  async #patiently(step: () => Promise<TailBatch | null>): Promise<TailBatch | null> {
    try {
      const batch = await step();
      this.#patience.relax();
      return batch;
    } catch (error) {
      await this.#wait(this.#alone, this.#patience.after(error));
      return null;
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#waiting?.end();
    this.#release?.();
    this.#release = null;
    this.#options.onDispose();
  }

  #deliver(batch: TailBatch): TailBatch {
    this.#toldCaughtUp = batch.caughtUp;
    this.#options.counters.delivered += batch.events.length;
    if (this.#gap === null) return batch;
    const told = { ...batch, gap: this.#gap };
    this.#gap = null;
    return told;
  }

  async #begin(): Promise<TailBatch | null> {
    const { after, last } = this.#options;
    const start = await (after === null
      ? startNow(this.#options, last)
      : startBehind(this.#options, after));
    this.#position = start.position;
    this.#goal = start.goal;
    this.#away = start.away;
    this.#since = start.since;
    this.#removals = start.removals;
    this.#gap = start.gap;
    this.#begun = true;
    return start.newest === null ? null : this.#batch(start.newest, false);
  }

  /** A restore under a running reader: numbers mean something else now. */
  #refuseOtherHistory(head: ShardCursor): void {
    const position = this.#position.get(head.shard);
    if (position !== undefined && position.history !== head.history) throw expired();
  }

  /** One step towards the follower's heads; null where nothing matched in it. */
  async #catchUp(): Promise<TailBatch | null> {
    const { follower, channel } = this.#options;
    const { tick } = follower;
    const goal = within(follower.heads, channel.scope);
    await this.#leaveRemoved();
    // One that cannot be read now keeps none of the others waiting.
    let isStuck = false;
    let failure: unknown = null;
    for (const head of this.#failingLast(goal)) {
      this.#refuseOtherHistory(head);
      const from = this.#seqIn(head.shard);
      if (from >= head.seq) {
        // From here on cursors name it, also where nothing of it was to be read.
        if (!this.#position.has(head.shard)) this.#position = withHead(this.#position, head);
        continue;
      }
      let slice: LogSlice;
      const at = { shard: head.shard, history: head.history, seq: from };
      try {
        slice = await this.#read(at, head.seq);
        this.#gap = (await this.#removals?.behind(at, slice)) ?? this.#gap;
      } catch (error) {
        if (!isPassing(error)) throw error;
        failure ??= error;
        this.#failing.add(head.shard);
        continue;
      }
      this.#failing.delete(head.shard);
      this.#position = withHead(this.#position, { ...at, seq: slice.through });
      if (slice.through <= from) isStuck = true;
      else return slice.events.length === 0 ? null : this.#batch(slice.events, false);
    }
    if (failure !== null || isStuck) {
      const ms = failure === null ? RETRY_MS : this.#patience.after(failure);
      await this.#wait(channel.changed, ms);
      return null;
    }
    const ahead = [...this.#position.values()].find(
      ({ shard, seq }) => seq > seqOf(goal, shard) && goal.has(shard),
    );
    if (ahead !== undefined) {
      // The cursor comes from a server that is ahead of this one.
      await follower.catchUp(channel.filter.taskId ?? null);
      if (seqOf(follower.heads, ahead.shard) < ahead.seq) await this.#wait(this.#alone, RETRY_MS);
      return null;
    }
    if (this.#isBefore(this.#goal)) {
      // The follower could not read so far yet, and goes on trying.
      await this.#wait(channel.changed, RETRY_MS);
      return null;
    }
    if (channel.completeFrom > tick || tick !== follower.tick) return null;
    // Those that are followed were read up to there.
    this.#away = new Map([...this.#away].filter(([shard]) => !goal.has(shard)));
    this.#tick = tick;
    return this.#toldCaughtUp ? null : this.#batch([], true);
  }

  /** Shards that are followed no more have nothing to be read: retention removed them, mostly. */
  async #leaveRemoved(): Promise<void> {
    const { heads } = this.#options.follower;
    const isLeft = ({ shard }: ShardCursor) => !heads.has(shard) && !this.#away.has(shard);
    const left = [...this.#position.values()].filter(isLeft);
    if (left.length === 0 || this.#removals === null) return;
    const { gap, away } = await this.#removals.of(left);
    this.#gap = gap ?? this.#gap;
    this.#away = furthest(this.#away, away);
    const gone = new Set(left.map(({ shard }) => shard));
    for (const { shard } of away) gone.delete(shard);
    this.#position = headsOf([...this.#position.values()].filter(({ shard }) => !gone.has(shard)));
  }

  #failingLast(heads: Heads): ShardCursor[] {
    const all = [...heads.values()];
    if (this.#failing.size === 0) return all;
    const fails = ({ shard }: ShardCursor) => this.#failing.has(shard);
    return [...all.filter((head) => !fails(head)), ...all.filter(fails)];
  }

  #seqIn(shard: string): number {
    const position = this.#position.get(shard);
    if (position !== undefined) return position.seq;
    return isNewBehind(this.#since, shard) ? 0 : this.#options.follower.startOf(shard);
  }

  #isBefore(goal: Heads): boolean {
    const { heads } = this.#options.follower;
    return [...goal.values()].some(
      ({ shard, seq }) => heads.has(shard) && this.#seqIn(shard) < seq,
    );
  }

  async #read(at: ShardCursor, to: number): Promise<LogSlice> {
    const { store, follower, channel, counters } = this.#options;
    counters.catchUps++;
    const ring = follower.ringBehind(at);
    if (ring !== null) return ring.read(at.seq, to, channel.filter, BATCH_EVENTS);
    return store.readLog(at, to, channel.filter, BATCH_EVENTS);
  }

  async #live(tick: number): Promise<TailBatch | null> {
    const { follower, channel, heartbeatMs } = this.#options;
    if (channel.completeFrom > tick) {
      this.#tick = null;
      return null;
    }
    const node = channel.behind(tick);
    if (node !== null) return this.#follow(node);
    const woken = await this.#wait(channel.changed, heartbeatMs);
    if (woken || this.#disposed || channel.behind(tick) !== null || channel.completeFrom > tick) {
      return null;
    }
    return this.#follow(channel.heartbeat(follower.tick, follower.heads));
  }

  /** null: a shard of the cursor is back. The follower began it elsewhere, so this feed reads on. */
  #follow(node: Node): TailBatch | null {
    if ([...this.#away.keys()].some((shard) => node.heads.has(shard))) {
      this.#tick = null;
      return null;
    }
    this.#tick = node.tick;
    this.#position = node.heads;
    if (this.#away.size === 0) return node.batch;
    this.#position = furthest(node.heads, this.#away.values());
    return { ...node.batch, cursor: this.#cursor() };
  }

  #wait(waiters: Signal, ms: number): Promise<boolean> {
    if (this.#disposed) return Promise.resolve(true);
    this.#waiting = waiters.start(ms);
    return this.#waiting.over;
  }

  #batch(events: StoredEvent[], caughtUp: boolean): TailBatch {
    return { events, cursor: this.#cursor(), caughtUp, gap: null };
  }

  #cursor(): string {
    return this.#options.cursorOf(this.#position);
  }
}

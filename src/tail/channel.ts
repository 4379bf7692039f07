/**
 * The live end of one filter, shared by all feeds that have the same: matching is done once, and
 * a batch is one object for all of them.
 *
 * A channel keeps its newest batches only (the follower's rings bound them all together); a feed
 * that has fallen behind `completeFrom` reads from the rings or the store instead.
 */

import type { StoredEvent } from '../domain/event/event.ts';
import type { EventFilter } from '../domain/search/filter.ts';
import { matchesEvent } from '../domain/search/filter.ts';
import { Signal } from '../signal.ts';
import type { ShardCursor } from '../store/store.ts';
import type { Publication } from './publications.ts';
import { type Heads, within } from './heads.ts';
import type { TailBatch } from './tail.ts';

/** A batch outlives this many prunings of its channel; the next one drops it. */
const PRUNINGS = 3;

export interface Node {
  tick: number;
  heads: Heads;
  batch: TailBatch;
}

export interface ChannelOptions {
  filter: EventFilter;
  filterHash: string;
  /** The follower's, now. */
  tick: number;
  cursorOf: (heads: Heads) => string;
  /** Undelivered events that are kept for the slowest feed. */
  maxEvents: number;
}

export class Channel {
  readonly filter: EventFilter;
  readonly filterHash: string;
  /** Every match of a later tick is in `nodes`. */
  completeFrom: number;
  feeds = 0;
  #scope: ReadonlySet<string> | null = null;
  #nodes: Node[] = [];
  #events = 0;
  /** The follower's ticks at the last prunings, the oldest first. */
  #pruned: number[] = [];
  /** Woken at the next batch. */
  readonly changed = new Signal();
  #cursorOf: (heads: Heads) => string;
  #maxEvents: number;
  /** A heartbeat is one object for all feeds too. */
  #heartbeat: Node | null = null;

  constructor({ filter, filterHash, tick, cursorOf, maxEvents }: ChannelOptions) {
    this.filter = filter;
    this.filterHash = filterHash;
    this.completeFrom = tick;
    this.#cursorOf = cursorOf;
    this.#maxEvents = maxEvents;
  }

  /** The shards that events of the filter can be in; null: all. */
  get scope(): ReadonlySet<string> | null {
    return this.#scope;
  }

  /** A feed has found out where events of its task are, or can be. */
  widen(shards: readonly ShardCursor[]): void {
    this.#scope = new Set([...(this.#scope ?? []), ...shards.map(({ shard }) => shard)]);
  }

  receive(publication: Publication, events = publication.events): void {
    if (publication.skipped !== null) {
      this.forget(publication.tick);
      return;
    }
    const matching = events.filter((event) => matchesEvent(this.filter, event));
    if (matching.length === 0) return;
    this.#narrow((matching[0] as StoredEvent).position.shard);
    const { tick } = publication;
    const heads = within(publication.heads, this.#scope);
    const batch = this.#batch(matching, heads);
    this.#nodes.push({ tick, heads, batch });
    this.#events += matching.length;
    while (this.#events > this.#maxEvents && this.#nodes.length > 1) this.#dropOldest();
    this.changed.wake();
  }

  /** Not every match up to a tick is here: feeds read on from the rings or the store. */
  forget(tick: number): void {
    this.#nodes = [];
    this.#events = 0;
    this.completeFrom = tick;
    this.changed.wake();
  }

  /** The first batch behind a tick that is at or beyond `completeFrom`; null: none yet. */
  behind(tick: number): Node | null {
    const last = this.#nodes.at(-1);
    if (last === undefined || last.tick <= tick) return null;
    let i = this.#nodes.length - 1;
    while (i > 0 && (this.#nodes[i - 1] as Node).tick > tick) i--;
    return this.#nodes[i] as Node;
  }

  /** An empty batch that carries the cursor on, at the follower's present tick. */
  heartbeat(tick: number, all: Heads): Node {
    if (this.#heartbeat?.tick !== tick) {
      const heads = within(all, this.#scope);
      this.#heartbeat = { tick, heads, batch: this.#batch([], heads) };
    }
    return this.#heartbeat;
  }

  /**
   * Called at intervals: lets go of what the rings have let go of, and of what has been there for
   * some calls. Feeds that keep up have it, and there may be thousands of channels.
   */
  prune(oldestTick: number, tick: number): void {
    this.#pruned.push(tick);
    const outlived = this.#pruned.length > PRUNINGS ? (this.#pruned.shift() as number) : 0;
    const through = Math.max(oldestTick, outlived);
    while (this.#nodes.length > 0 && (this.#nodes[0] as Node).tick <= through) this.#dropOldest();
  }

  /** Its cursor is made when somebody asks for it: with many shards it costs more than the rest. */
  #batch(events: StoredEvent[], heads: Heads): TailBatch {
    const cursorOf = this.#cursorOf;
    let text: string | null = null;
    return {
      events,
      get cursor() {
        text ??= cursorOf(heads);
        return text;
      },
      caughtUp: true,
      gap: null,
    };
  }

  /** A task that had not begun can be in another shard by then; its first event tells which. */
  #narrow(shard: string): void {
    if (this.#scope === null || (this.#scope.size === 1 && this.#scope.has(shard))) return;
    this.#scope = new Set([shard]);
  }

  #dropOldest(): void {
    const node = this.#nodes.shift() as Node;
    this.#events -= node.batch.events.length;
    this.completeFrom = node.tick;
  }
}

/**
 * The live end of one filter, shared by all feeds that have the same: matching is done once, and
 * a batch is one object for all of them.
 *
 * A channel keeps its newest batches only (the follower's rings bound them all together); a feed
 * that has fallen behind `completeFrom` reads from the rings or the store instead.
 */

import type { StoredEvent } from '../domain/event.ts';
import type { EventFilter } from '../domain/filter.ts';
import { matchesEvent } from '../domain/filter.ts';
import type { Publication } from './follower.ts';
import { type Heads, within } from './heads.ts';
import type { TailBatch } from './tail.ts';

/** Batches outlive so many prunings. */
const PRUNINGS = 3;

export interface Node {
  tick: number;
  heads: Heads;
  batch: TailBatch;
}

export class Channel {
  readonly filter: EventFilter;
  readonly filterHash: string;
  /** Every match of a later tick is in `nodes`. */
  completeFrom: number;
  feeds = 0;
  /** The shards that events of the filter can be in; null: all. */
  scope: ReadonlySet<string> | null = null;
  #nodes: Node[] = [];
  #events = 0;
  /** The follower's ticks at the last prunings, the oldest first. */
  #pruned: number[] = [];
  #waiting = new Set<() => void>();
  #cursorOf: (heads: Heads) => string;
  /** Undelivered events that are kept for the slowest feed. */
  #maxEvents: number;
  /** A heartbeat is one object for all feeds too. */
  #heartbeat: Node | null = null;

  constructor(
    filter: EventFilter,
    filterHash: string,
    tick: number,
    cursorOf: (heads: Heads) => string,
    maxEvents: number,
  ) {
    this.filter = filter;
    this.filterHash = filterHash;
    this.completeFrom = tick;
    this.#cursorOf = cursorOf;
    this.#maxEvents = maxEvents;
  }

  receive(publication: Publication, events = publication.events): void {
    if (publication.skipped !== null) {
      this.#nodes = [];
      this.#events = 0;
      this.completeFrom = publication.tick;
      this.#wake();
      return;
    }
    const matching = events.filter((event) => matchesEvent(this.filter, event));
    if (matching.length === 0) return;
    this.#narrow((matching[0] as StoredEvent).position.shard);
    const { tick } = publication;
    const heads = within(publication.heads, this.scope);
    const batch = { events: matching, cursor: this.#cursorOf(heads), caughtUp: true, gap: null };
    this.#nodes.push({ tick, heads, batch });
    this.#events += matching.length;
    while (this.#events > this.#maxEvents && this.#nodes.length > 1) this.#dropOldest();
    this.#wake();
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
      const heads = within(all, this.scope);
      const batch = { events: [], cursor: this.#cursorOf(heads), caughtUp: true, gap: null };
      this.#heartbeat = { tick, heads, batch };
    }
    return this.#heartbeat;
  }

  /** `wake` is called once, at the next batch; answers how to stop waiting. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
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

  /** A task that had not begun can be in several shards; its first event tells which. */
  #narrow(shard: string): void {
    if (this.scope !== null && this.scope.size !== 1) this.scope = new Set([shard]);
  }

  #dropOldest(): void {
    const node = this.#nodes.shift() as Node;
    this.#events -= node.batch.events.length;
    this.completeFrom = node.tick;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

/** How a shard comes to be kept by this server, and how its views are begun anew. */
import { randomUUID } from 'node:crypto';
import type { Days } from '../indices/days.ts';
import { parseShard } from '../indices/names.ts';
import type { ShardInfo, Shards } from '../indices/shards.ts';
import type { KeptShards } from './kept-shards.ts';
import type { Lease, Leases } from './leases.ts';
import type { WatchedLeases } from './watched-leases.ts';

export interface TakeoverParts {
  shards: Shards;
  days: Pick<Days, 'viewsOf' | 'makeViews'>;
  leases: Leases;
  kept: KeptShards;
  watched: WatchedLeases;
  leaseMs: number;
}

/** What was taken. */
export interface Taken {
  info: ShardInfo;
  lease: Lease;
  /** When the change of the lease was begun: others may count from here. */
  began: number;
}

export class Takeover {
  readonly #parts: TakeoverParts;
  /** This server, in leases. */
  readonly owner = randomUUID();

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
  }

  /**
   * Takes the shard's lease where nobody holds it, or its holder was silent for all of it.
   * null: another one holds it, or there is nothing to keep.
   */
  async take(shard: string): Promise<Taken | null> {
    const { shards, leases, kept, watched, leaseMs } = this.#parts;
    const place = parseShard(shard);
    if (place === null) return null;
    const info = await shards.one(place.day, place.shard);
    if (info === null || !(await this.#hasViews(place.day))) return null;
    const [was = null] = await leases.read([shard]);
    if (was !== null && was.owner !== null && was.owner !== this.owner) {
      const silence = watched.silence(was);
      watched.see(info, was);
      if (silence < leaseMs) return null;
    }
    const restored = was !== null && was.history !== info.history;
    if (restored) kept.lose(shard);
    const began = performance.now();
    const lease = await leases.change(shard, was, {
      owner: this.owner,
      beat: (was?.beat ?? 0) + 1,
      folded: was === null || restored ? 0 : was.folded,
      history: info.history,
      generation: (was?.generation ?? 0) + (restored ? 1 : 0),
    });
    return lease === null ? null : { info, lease, began };
  }

  /** Whoever keeps the shard loses it, and the next begins a new generation of its views. */
  async restart({ shard, history }: ShardInfo): Promise<void> {
    const { leases, kept } = this.#parts;
    for (;;) {
      const [was = null] = await leases.read([shard]);
      const next = {
        owner: null,
        beat: (was?.beat ?? 0) + 1,
        folded: 0,
        history,
        generation: (was?.generation ?? 0) + 1,
      };
      if ((await leases.change(shard, was, next)) !== null) break;
    }
    kept.lose(shard);
  }

  /**
   * Makes the index of a day's views where somebody deleted it: then all its shards are folded
   * anew, which is written down first. false: the day itself is gone.
   */
  async #hasViews(day: string): Promise<boolean> {
    const { days, shards } = this.#parts;
    const state = await days.viewsOf(day);
    if (state === 'missing') {
      for (const info of await shards.read(day)) await this.restart(info);
      await days.makeViews(day);
    }
    return state !== 'gone';
  }
}

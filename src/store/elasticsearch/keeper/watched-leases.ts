/** What is known of the shards that other servers keep: read now and then, never asked for. */

import { parseShard } from '../indices/names.ts';
import type { ShardInfo } from '../indices/shards.ts';
import type { Lease } from './leases.ts';

interface Watched {
  lease: Lease;
  /** Since when it has not changed, by this process' own clock. */
  since: number;
  /** Its keeper has been near the end of the log. */
  hasBeenNear: boolean;
}

export class WatchedLeases {
  readonly #lagMax: number;
  readonly #leases = new Map<string, Watched>();

  /** @param lagMax farther behind than so many events, a keeper does not keep up */
  constructor(lagMax: number) {
    this.#lagMax = lagMax;
  }

  see({ shard, seq }: Pick<ShardInfo, 'shard' | 'seq'>, lease: Lease): void {
    const before = this.#leases.get(shard);
    const same = before?.lease.owner === lease.owner;
    const hasBeenNear =
      (same && before?.hasBeenNear === true) || seq - lease.folded <= this.#lagMax;
    const since = before?.lease.seqNo === lease.seqNo ? before.since : performance.now();
    this.#leases.set(shard, { lease, since, hasBeenNear });
  }

  /** Seen to be folded to its end. */
  isFolded({ shard, seq, history }: ShardInfo): boolean {
    const lease = this.#leases.get(shard)?.lease;
    return seq === 0 || (lease?.folded === seq && lease.history === history);
  }

  shards(): Iterable<string> {
    return this.#leases.keys();
  }

  /** How far the views were when they were last looked at; null: they never were. */
  folded(shard: string): number | null {
    return this.#leases.get(shard)?.lease.folded ?? null;
  }

  /** How long the lease has been as it is, ms; 0: it was not seen like this before. */
  silence(lease: Lease): number {
    const seen = this.#leases.get(lease.shard);
    return seen?.lease.seqNo === lease.seqNo ? performance.now() - seen.since : 0;
  }

  /** Its keeper had kept up, and does not now. */
  isFarBehind(shard: string, seq: number): boolean {
    const seen = this.#leases.get(shard);
    return seen?.hasBeenNear === true && seq - seen.lease.folded > this.#lagMax;
  }

  forget(day: string): void {
    for (const shard of [...this.#leases.keys()]) {
      if (parseShard(shard)?.day === day) this.#leases.delete(shard);
    }
  }
}

/** Holds appends back while the views of their shards are too far behind. */
import { setTimeout } from 'node:timers/promises';
import type { Shards } from '../indices/shards.ts';
import type { FoldWaits } from './fold-waiters.ts';
import type { KeptShards } from './kept-shards.ts';
import { LOOK_EVERY_MS } from './shard-watch.ts';
import type { WatchedLeases } from './watched-leases.ts';

/** How long an append waits for views that are too far behind. */
const PACE_MAX_MS = 2_000;

export interface PacingParts {
  shards: Shards;
  kept: KeptShards;
  watched: WatchedLeases;
  waits: FoldWaits;
}

export class Pacing {
  readonly #parts: PacingParts;
  /** Appends that had to wait for the views. */
  paced = 0;

  constructor(parts: PacingParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when more may be appended to these shards: at once where their views keep up, and
   * after a moment in any case, for an event is worth more than the views of it.
   */
  async pace(shards: Iterable<string>): Promise<void> {
    const { kept, watched, waits } = this.#parts;
    const pauses: Promise<unknown>[] = [];
    for (const shard of shards) {
      const known = this.#parts.shards.known(shard)?.seq ?? 0;
      const keeper = kept.get(shard);
      const wanted = keeper?.wantedBefore(known) ?? null;
      if (wanted !== null) pauses.push(waits.wait(shard, wanted, PACE_MAX_MS));
      else if (keeper === undefined && watched.isFarBehind(shard, known)) {
        // Until it is looked at again.
        pauses.push(setTimeout(LOOK_EVERY_MS, undefined, { ref: false }));
      }
    }
    if (pauses.length === 0) return;
    this.paced++;
    await Promise.all(pauses);
  }
}

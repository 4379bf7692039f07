/**
 * Up to where the views of each shard are: of those that this server keeps it is known, of the
 * others it is known from the last look at their leases, or asked for.
 */
import { ShiplogError } from '../../../domain/errors.ts';
import { parseShard } from '../indices/names.ts';
import type { ShardInfo, Shards } from '../indices/shards.ts';
import type { FoldWaits } from './fold-waiters.ts';
import type { KeptShards } from './kept-shards.ts';
import type { Leases } from './leases.ts';
import type { WatchedLeases } from './watched-leases.ts';

/** How often somebody who waits looks at the lease of another server. */
const WATCH_MS = 50;
/** How long is waited at a time for a shard that is kept here: its lease may be lost meanwhile. */
const KEPT_WAIT_MS = 500;

/** How the views of a shard stand, as far as this process knows without asking. */
export interface Standing {
  /** They hold everything at or below it. */
  folded: number;
  /** Events of the log that they lack. */
  lag: number;
  /** Up to here they are being folded again: below it they may show what was long ago. */
  recoverTo: number;
}

export interface ViewPositionsParts {
  shards: Shards;
  leases: Leases;
  kept: KeptShards;
  watched: WatchedLeases;
  waits: FoldWaits;
  lagMax: number;
}

export class ViewPositions {
  readonly #parts: ViewPositionsParts;
  /** The last looks at leases of others, which all that wait share. */
  readonly #looks = new Map<string, { at: number; folded: Promise<number> }>();

  constructor(parts: ViewPositionsParts) {
    this.#parts = parts;
  }

  /** How the views of a shard stand, as far as is known without asking. */
  standing(shard: string): Standing {
    const known = this.#parts.shards.known(shard)?.seq ?? 0;
    const kept = this.#parts.kept.get(shard);
    if (kept === undefined) {
      const folded = this.#parts.watched.folded(shard);
      // A shard that was never looked at is not known to lack anything.
      return { folded: folded ?? 0, lag: folded === null ? 0 : known - folded, recoverTo: 0 };
    }
    const { folded, recoverTo } = kept;
    return { folded, lag: kept.lag(known), recoverTo };
  }

  /** Whether there are shards whose views lack so much that even what is quiet may show the past. */
  hasFarBehind(): boolean {
    const { kept, watched } = this.#parts;
    for (const [, { folded, recoverTo }] of kept) if (folded < recoverTo) return true;
    for (const shard of [...kept.names(), ...watched.shards()]) {
      if (this.standing(shard).lag > this.#parts.lagMax) return true;
    }
    return false;
  }

  /** Events between the settled log and the views that this server keeps. */
  lag(): number {
    let lag = 0;
    for (const [shard, keeper] of this.#parts.kept) {
      lag += keeper.lag(this.#parts.shards.known(shard)?.seq ?? 0);
    }
    return lag;
  }

  /** How far the views of shards are, whoever keeps them. */
  async of(infos: readonly ShardInfo[]): Promise<Map<string, number>> {
    const folded = new Map<string, number>();
    const ask: string[] = [];
    for (const { shard } of infos) {
      const kept = this.#parts.kept.get(shard);
      if (kept === undefined) ask.push(shard);
      else folded.set(shard, kept.folded);
    }
    const leases = await this.#parts.leases.read(ask);
    for (const [i, shard] of ask.entries()) folded.set(shard, leases[i]?.folded ?? 0);
    return folded;
  }

  /** Resolves to true when the views of a shard hold what is at or below `seq`, to false after `ms`. */
  async reached(shard: string, seq: number, ms: number): Promise<boolean> {
    const { kept, waits } = this.#parts;
    const deadline = performance.now() + ms;
    for (;;) {
      if (waits.closed) throw new ShiplogError('SHUTTING_DOWN', 'The store is closed');
      const keeper = kept.get(shard);
      const folded = keeper === undefined ? await this.#lookAt(shard) : keeper.folded;
      if (folded >= seq) return true;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await waits.wait(shard, seq, Math.min(left, keeper === undefined ? WATCH_MS : KEPT_WAIT_MS));
    }
  }

  /** How far the views are, as the server that keeps them says. */
  #lookAt(shard: string): Promise<number> {
    const now = performance.now();
    const last = this.#looks.get(shard);
    if (last !== undefined && now - last.at < WATCH_MS / 2) return last.folded;
    const folded = this.#parts.leases.read([shard]).then(([lease]) => lease?.folded ?? 0);
    this.#looks.set(shard, { at: now, folded });
    return folded;
  }

  /** Its views begin anew, or another server keeps them now. */
  forget(shard: string): void {
    this.#looks.delete(shard);
  }

  /** The shards of a day that are kept here or were looked at. */
  shardsOf(day: string): string[] {
    const shards = [...this.#parts.kept.names(), ...this.#looks.keys()];
    return shards.filter((shard) => parseShard(shard)?.day === day);
  }
}

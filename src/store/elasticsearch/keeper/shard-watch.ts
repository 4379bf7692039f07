/**
 * Looks at all shards now and then: for what other servers appended, for shards that nobody keeps,
 * and for leases of this server that are not worth being held any longer.
 */
import { guarded } from '../../../guarded.ts';
import type { StoreLog } from '../cluster/store-log.ts';
import type { ShardInfo, Shards } from '../indices/shards.ts';
import { newestFirst } from './catch-up-turns.ts';
import type { KeptShards } from './kept-shards.ts';
import type { Leases } from './leases.ts';
import type { ShardKeeper } from './shard-keeper.ts';
import type { WatchedLeases } from './watched-leases.ts';

export const LOOK_EVERY_MS = 500;
/** A shard that nothing was folded of for so long is given back. */
const RELEASE_IDLE_MS = 30_000;

export interface ShardWatchParts {
  shards: Shards;
  leases: Leases;
  kept: KeptShards;
  watched: WatchedLeases;
  log: StoreLog | null;
  /** Begins to fold a shard, unless it is being done. */
  work: (shard: string) => void;
  isWorking: (shard: string) => boolean;
}

export class ShardWatch {
  readonly #parts: ShardWatchParts;
  readonly #turn: () => void;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #closed = false;

  constructor(parts: ShardWatchParts) {
    this.#parts = parts;
    const log = parts.log ?? { error: () => undefined };
    this.#turn = guarded(log, 'looking after the views', () => {
      const looking = this.#look().finally(() => this.#schedule(LOOK_EVERY_MS));
      this.#looking = looking.catch(() => undefined);
      return looking.catch((error) => {
        if (!this.#closed) throw error;
      });
    });
  }

  start(): void {
    this.#schedule(0);
  }

  /** Resolves when it looks no more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#looking;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(this.#turn, ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { shards, leases, watched, kept, work } = this.#parts;
    const infos = newestFirst(await shards.current());
    const behind = infos.filter((info) => !this.#isKnownFolded(info));
    const seen = await leases.read(behind.map(({ shard }) => shard));
    for (const [i, info] of behind.entries()) {
      const lease = seen[i] ?? null;
      if (lease !== null) watched.see(info, lease);
      if (!this.#isKnownFolded(info)) work(info.shard);
    }
    for (const [shard, keeper] of kept) await this.#lookAfter(shard, keeper);
  }

  /** Kept here, or seen to be folded to its end. */
  #isKnownFolded(info: ShardInfo): boolean {
    return this.#parts.kept.has(info.shard) || this.#parts.watched.isFolded(info);
  }

  async #lookAfter(shard: string, keeper: ShardKeeper): Promise<void> {
    const { shards, kept, work, isWorking } = this.#parts;
    const info = shards.known(shard);
    if (info !== null && (info.seq > keeper.folded || info.history !== keeper.lease.history)) {
      work(shard);
    } else if (performance.now() - keeper.usedAt > RELEASE_IDLE_MS && !isWorking(shard)) {
      await kept.release(shard);
    }
  }
}

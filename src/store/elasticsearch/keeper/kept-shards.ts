/** The shards whose views this server keeps now. */
import type { ShardKeeper } from './shard-keeper.ts';

export class KeptShards {
  readonly #keepers = new Map<string, ShardKeeper>();
  readonly #statesMax: number;
  readonly #onLost: (shard: string) => void;

  /**
   * @param statesMax bytes of states that are held in memory for events to come
   * @param onLost told when the views of a shard begin anew, or another server keeps them now
   */
  constructor(statesMax: number, onLost: (shard: string) => void) {
    this.#statesMax = statesMax;
    this.#onLost = onLost;
  }

  get(shard: string): ShardKeeper | undefined {
    return this.#keepers.get(shard);
  }

  has(shard: string): boolean {
    return this.#keepers.has(shard);
  }

  names(): Iterable<string> {
    return this.#keepers.keys();
  }

  [Symbol.iterator](): Iterator<[string, ShardKeeper]> {
    return this.#keepers[Symbol.iterator]();
  }

  add(shard: string, keeper: ShardKeeper): void {
    this.#keepers.set(shard, keeper);
  }

  /** What is known of its views is believed no longer: another server may begin them anew. */
  lose(shard: string): void {
    this.#keepers.get(shard)?.stop();
    this.#keepers.delete(shard);
    this.#onLost(shard);
  }

  /** About what the states of all shards take in memory. */
  get stateBytes(): number {
    let bytes = 0;
    for (const keeper of this.#keepers.values()) bytes += keeper.stateBytes;
    return bytes;
  }

  /**
   * Where the states of all shards take more than they may, those of the shards that were folded longest
   * ago are forgotten, until half of that is left: they are read again when they are needed.
   */
  makeRoom(): void {
    let over = this.stateBytes - this.#statesMax / 2;
    if (over <= this.#statesMax / 2) return;
    const oldest = [...this.#keepers.values()].sort((a, b) => a.usedAt - b.usedAt);
    for (const keeper of oldest) {
      if (over <= 0) break;
      const bytes = keeper.stateBytes;
      keeper.forgetStates(Math.max(0, bytes - over));
      over -= bytes;
    }
  }

  /** Gives one back, as its lease says then: what is known of its views stays true. */
  async release(shard: string): Promise<void> {
    const keeper = this.#keepers.get(shard);
    this.#keepers.delete(shard);
    await keeper?.release();
  }

  /** Gives all of them back, as far as the cluster lets it. */
  async releaseAll(): Promise<void> {
    const shards = [...this.#keepers.keys()];
    await Promise.all(shards.map((shard) => this.release(shard).catch(() => undefined)));
  }
}

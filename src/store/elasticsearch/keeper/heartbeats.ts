/**
 * Tells the other servers that this one is alive, whatever it is doing: a piece of the log may take
 * longer than a lease to be folded, and statistics longer than that to be answered.
 */
import { ShiplogError } from '../../../domain/errors.ts';
import { every } from '../../../guarded.ts';
import type { StoreLog } from '../cluster/store-log.ts';
import type { KeptShards } from './kept-shards.ts';
import type { ShardKeeper } from './shard-keeper.ts';

export interface HeartbeatsParts {
  kept: KeptShards;
  leaseMs: number;
  log: StoreLog | null;
}

export class Heartbeats {
  readonly #parts: HeartbeatsParts;
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<unknown> | null = null;

  constructor(parts: HeartbeatsParts) {
    this.#parts = parts;
  }

  start(): void {
    const { leaseMs, log } = this.#parts;
    this.#timer = every(leaseMs / 6, log, 'telling that views are kept', () => this.#turn());
  }

  /** Resolves when none is under way. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#beating;
  }

  async #turn(): Promise<void> {
    if (this.#beating !== null) return;
    const { kept, leaseMs } = this.#parts;
    const now = performance.now();
    const due = [...kept].filter(([, { beatAt }]) => now - beatAt > leaseMs / 3);
    const beating = Promise.allSettled(due.map(([shard, keeper]) => this.#beat(shard, keeper)));
    this.#beating = beating;
    const told = await beating;
    this.#beating = null;
    for (const one of told) if (one.status === 'rejected' && !isOver(one.reason)) throw one.reason;
  }

  async #beat(shard: string, keeper: ShardKeeper): Promise<void> {
    const { kept } = this.#parts;
    if (!(await keeper.beat()) && kept.get(shard) === keeper) kept.lose(shard);
  }
}

/** The store is closed: nobody has to be told. */
function isOver(error: unknown): boolean {
  return error instanceof ShiplogError && error.code === 'SHUTTING_DOWN';
}

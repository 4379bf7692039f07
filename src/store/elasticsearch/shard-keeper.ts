/**
 * Keeps the views of one shard, for as long as it holds the shard's lease: takes the log from the
 * memory of this server's own appends where it is contiguous, from the store else, and folds it.
 */
import type { StoredEvent } from '../../domain/event.ts';
import type { HostWriter } from './host-writer.ts';
import type { Lease, Leases } from './leases.ts';
import type { LogReader } from './log-reader.ts';
import type { ShardInfo } from './shards.ts';
import type { TaskEntries } from './task-entries.ts';
import type { ViewFolder } from './view-folder.ts';

/** Events of this server that wait to be folded; beyond it they are read from the log. */
const PENDING_MAX = 50_000;
/** Hits of one search: a cluster's default bound is 10,000. */
const READ_MAX = 5_000;
/** Large: behind a burst, what belongs to one run is written once. */
const BATCH = 20_000;
/** Versions of documents: the generation above the position. */
const GENERATION_STEP = 2 ** 40;

export interface KeeperParts {
  leases: Leases;
  reader: LogReader;
  hosts: HostWriter;
  folder: ViewFolder;
  entries: TaskEntries;
  /** Removes the views of older generations, when this one has folded all there was. */
  sweep: (shard: number, version: number) => Promise<void>;
  leaseMs: number;
  owner: string;
}

export class ShardKeeper {
  readonly #parts: KeeperParts;
  readonly #pending = new Map<number, StoredEvent>();
  /** Up to here a keeper before this one may have written. */
  readonly #recoverTo: number;
  lease: Lease;
  /** When the last successful change of the lease was begun. */
  beatAt: number;
  usedAt = performance.now();

  constructor(parts: KeeperParts, lease: Lease, beatAt: number, recoverTo: number) {
    this.#parts = parts;
    this.lease = lease;
    this.beatAt = beatAt;
    this.#recoverTo = recoverTo;
  }

  get folded(): number {
    return this.lease.folded;
  }

  get waiting(): number {
    return this.#pending.size;
  }

  /** Others take over after the whole lease; this one stops well before. */
  get isSafe(): boolean {
    return performance.now() - this.beatAt < this.#parts.leaseMs * 0.6;
  }

  offer(event: StoredEvent): void {
    if (event.position.seq > this.folded && this.#pending.size < PENDING_MAX) {
      this.#pending.set(event.position.seq, event);
    }
  }

  /** The next event is here: nothing has to be read. */
  get hasNext(): boolean {
    return this.#pending.has(this.folded + 1);
  }

  /** Folds one batch. false: the lease is lost. Where nothing can be read now, nothing changes. */
  async step(info: ShardInfo): Promise<boolean> {
    this.usedAt = performance.now();
    const from = this.folded;
    let events = this.#fromMemory();
    let through = from + events.length;
    if (events.length === 0) {
      const slice = await this.#parts.reader.read(info, from, info.settled, null, READ_MAX);
      events = slice.events;
      through = slice.through;
    }
    if (through === from) return true;
    if (!this.isSafe && !(await this.beat())) return false;
    this.#parts.entries.recovering = from < this.#recoverTo;
    const version = this.lease.generation * GENERATION_STEP + through;
    await Promise.all([this.#parts.folder.fold(events, version), this.#parts.hosts.write(events)]);
    const caughtUp = from < this.#recoverTo && through >= this.#recoverTo;
    if (caughtUp && this.lease.generation > 0) await this.#parts.sweep(info.number, version);
    for (let seq = from + 1; seq <= through; seq++) this.#pending.delete(seq);
    return this.#change(through, this.#parts.owner);
  }

  /** Tells the others that this one is alive. false: the lease is lost. */
  beat(): Promise<boolean> {
    return this.#change(this.folded, this.#parts.owner);
  }

  async release(): Promise<void> {
    await this.#change(this.folded, null);
  }

  #fromMemory(): StoredEvent[] {
    const events: StoredEvent[] = [];
    for (let seq = this.folded + 1; events.length < BATCH; seq++) {
      const event = this.#pending.get(seq);
      if (event === undefined) break;
      events.push(event);
    }
    return events;
  }

  async #change(folded: number, owner: string | null): Promise<boolean> {
    const began = performance.now();
    const { shard, beat, history, generation } = this.lease;
    const next = { owner, beat: beat + 1, folded, history, generation };
    const lease = await this.#parts.leases.change(shard, this.lease, next);
    if (lease === null) return false;
    this.lease = lease;
    this.beatAt = began;
    return true;
  }
}

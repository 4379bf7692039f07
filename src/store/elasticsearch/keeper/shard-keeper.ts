/**
 * Keeps the views of one shard, for as long as it holds the shard's lease: takes the log from the
 * memory of this server's own appends where it is contiguous, from the store else, and folds it.
 * What a reader of one task waits for is folded ahead of all the rest, and read from memory.
 */
import type { StoredEvent } from '../../../domain/event/event.ts';
import { approximateBytes } from '../../../domain/event/event-weight.ts';
import type { ShardInfo } from '../indices/shards.ts';
import type { LogReader } from '../log/log-reader.ts';
import type { HeldFor, HeldRuns } from './held-runs.ts';
import type { HostWriter } from './host-writer.ts';
import type { Lease, Leases } from './leases.ts';
import { PendingEvents, type PendingRoom } from './pending-events.ts';
import type { TaskEntries } from './task-entries.ts';
import type { ViewFolder } from './view-folder.ts';
import type { ViewWriter } from './view-writer.ts';

/** Hits of one search: a cluster's default bound is 10,000. */
const READ_MAX = 5_000;
/** Large: behind a burst, what belongs to one run is written once. */
export const BATCH = 20_000;
const BATCH_BYTES = 32 * 1024 * 1024;
/** Versions of documents: the generation above the position. */
const GENERATION_STEP = 2 ** 40;

export interface ShardKeeperParts {
  leases: Leases;
  reader: LogReader;
  hosts: HostWriter;
  folder: ViewFolder;
  writer: ViewWriter;
  entries: TaskEntries;
  /** Removes the views of older generations, when this one has folded all there was. */
  sweep: (shard: number, version: number) => Promise<void>;
  /** Told as soon as views are written, before that is recorded: readers need not wait for it. */
  onFolded: (through: number) => void;
  leaseMs: number;
  /** Farther behind than so many events, it does not keep up. */
  lagMax: number;
  pendingRoom: PendingRoom;
  owner: string;
  /** The lease as it was taken. */
  lease: Lease;
  /** When this server began to take it. */
  beatAt: number;
  /** Up to here a keeper before this one may have written. */
  recoverTo: number;
  /** Up to here events that this server acknowledged may not be offered. */
  lacksTo: number;
}

/** A piece of the log, all of (folded, through]. */
interface Piece {
  events: StoredEvent[];
  through: number;
}

export class ShardKeeper {
  readonly #parts: ShardKeeperParts;
  readonly #pending: PendingEvents;
  /** The greatest seq that this server stored. */
  #offered = 0;
  /** Up to here something that this server acknowledged is not in `#pending`. */
  #lacksTo: number;
  /** It has kept up since it took over: what is behind now came since. */
  #hasBeenNear: boolean;
  /** Up to here a keeper before this one may have written. */
  readonly recoverTo: number;
  /** Views hold everything at or below it; the lease says so a moment later. */
  #folded: number;
  /** One change of the lease at a time: of two, one would lose it to the other. */
  #changing: Promise<unknown> = Promise.resolve();
  /** Resolves when the lease says how far the views are; the next batch is folded meanwhile. */
  #recording: Promise<boolean> = Promise.resolve(true);
  #isLost = false;
  lease: Lease;
  /** When the last successful change of the lease was begun. */
  beatAt: number;
  usedAt = performance.now();

  constructor(parts: ShardKeeperParts) {
    const { lease, beatAt, recoverTo, lacksTo, lagMax } = parts;
    this.#parts = parts;
    this.#pending = new PendingEvents(parts.pendingRoom);
    this.#lacksTo = lacksTo;
    this.lease = lease;
    this.beatAt = beatAt;
    this.recoverTo = recoverTo;
    this.#folded = lease.folded;
    this.#hasBeenNear = recoverTo - lease.folded <= lagMax;
  }

  get folded(): number {
    return this.#folded;
  }

  /** Events that are not folded yet; `known`: the greatest seq that is known of the log. */
  lag(known: number): number {
    return Math.max(0, Math.max(known, this.#offered) - this.folded);
  }

  /**
   * Up to where it has to fold before more should be appended; null: it keeps up. Also where it
   * never did, as after an outage or at a rebuild: then appends do not wait for what is old.
   */
  wantedBefore(known: number): number | null {
    const { lagMax } = this.#parts;
    const lag = this.lag(known);
    return this.#hasBeenNear && lag > lagMax ? this.folded + lag - lagMax : null;
  }

  /** Others take over after the whole lease; this one stops well before. */
  get isSafe(): boolean {
    return performance.now() - this.beatAt < this.#parts.leaseMs * 0.6;
  }

  /** Whether it may write: nobody else keeps the shard, nor may begin to before it knows. */
  async holds(): Promise<boolean> {
    if (this.#isLost) return false;
    return this.isSafe || (await this.beat());
  }

  /** Another server may keep the shard from now on: nothing more is written. */
  stop(): void {
    this.#isLost = true;
    this.#pending.clear();
  }

  /** It folds what was there before this server kept the shard. */
  get isCatchingUp(): boolean {
    return this.#folded < this.recoverTo;
  }

  /** About what the states that it holds take in memory. */
  get stateBytes(): number {
    return this.#parts.entries.bytes;
  }

  /** Forgets states until they take no more, as far as they are stored. */
  forgetStates(bytes: number): void {
    this.#parts.folder.forget(bytes);
  }

  offer(event: StoredEvent): void {
    const { seq } = event.position;
    this.#offered = Math.max(this.#offered, seq);
    if (seq > this.folded && !this.#pending.add(event)) this.lacks(seq);
  }

  /** This server acknowledged what it does not have. */
  lacks(seq: number): void {
    this.#lacksTo = Math.max(this.#lacksTo, seq);
  }

  /**
   * Folds what this server stored of some tasks, ahead of all the rest: then it is in what `unstored`
   * has. false: it may not have all of it, and is to be waited for.
   */
  async foldAhead(taskIds: ReadonlySet<string>): Promise<boolean> {
    if (this.#folded < Math.max(this.#lacksTo, this.recoverTo) || !this.isSafe) return false;
    const own = this.#pending.unfolded(taskIds);
    if ((await this.#fold(own)) < own.length) return false;
    for (const taskId of taskIds) if (!(await this.#parts.folder.layOut(taskId))) return false;
    return true;
  }

  /** Runs of a task as they are in memory; null: they are not, or are too many. */
  async held(taskId: string, to: HeldFor): Promise<HeldRuns | null> {
    const isAll = this.isSafe && this.#folded >= this.recoverTo;
    return isAll ? this.#parts.folder.held(taskId, to) : null;
  }

  /** Call it before a refresh, and what it returns when the refresh has ended. */
  refreshing(): () => void {
    // What the keeper before this one left, and views that are no longer there, may be shown until then.
    if (this.#folded < this.recoverTo) return () => undefined;
    return this.#parts.writer.unsearched.refreshing();
  }

  /** A view's document that is not stored as it is now; null: it is to be removed. */
  unstored(id: string): string | null | undefined {
    return this.isSafe ? this.#parts.writer.unstored(id) : undefined;
  }

  /** The next event is here: nothing has to be read. */
  get hasNext(): boolean {
    return this.#pending.has(this.folded + 1);
  }

  /** Folds one batch. false: the lease is lost. Where nothing can be read now, nothing changes. */
  async step(info: ShardInfo): Promise<boolean> {
    this.usedAt = performance.now();
    const from = this.folded;
    const piece = await this.#next(info);
    if (piece.through === from) return true;
    if (!(await this.holds())) return false;
    this.#parts.entries.recovering = this.isCatchingUp;
    const { events, through } = await this.#foldPiece(piece);
    const version = this.lease.generation * GENERATION_STEP + through;
    const written = await Promise.allSettled([
      this.#parts.folder.store(version),
      this.#parts.hosts.write(events),
    ]);
    if (this.#isLost) return false;
    // None may be under way when another attempt begins.
    for (const one of written) if (one.status === 'rejected') throw one.reason;
    const caughtUp = from < this.recoverTo && through >= this.recoverTo;
    if (caughtUp && this.lease.generation > 0) await this.#parts.sweep(info.number, version);
    this.#pending.drop(from, through);
    this.#folded = through;
    this.#parts.onFolded(through);
    if (this.lag(info.settled) <= this.#parts.lagMax) this.#hasBeenNear = true;
    if (!(await this.recorded())) return false;
    this.#recording = this.#change(this.#parts.owner);
    this.#recording.catch(() => undefined);
    return true;
  }

  /** Resolves when the lease says what was folded. false: the lease is lost. */
  recorded(): Promise<boolean> {
    return this.#recording;
  }

  /** Tells the others that this one is alive. false: the lease is lost. */
  beat(): Promise<boolean> {
    return this.#change(this.#parts.owner);
  }

  async release(): Promise<void> {
    this.#pending.clear();
    await this.#change(null);
  }

  /** From memory as far as it goes, and on from the log where that is worth a search. */
  async #next(info: ShardInfo): Promise<Piece> {
    const piece: Piece = { events: [], through: this.folded };
    for (let bytes = 0; piece.events.length < BATCH && bytes < BATCH_BYTES; ) {
      if (piece.events.length > 0 && !this.isSafe) break;
      const pending = this.#pending.get(piece.through + 1);
      if (pending !== undefined) {
        piece.events.push(pending.event);
        piece.through++;
        bytes += pending.bytes;
        continue;
      }
      const worth = piece.events.length === 0 ? 1 : READ_MAX;
      if (info.settled - piece.through < worth) break;
      const { through, events } = await this.#parts.reader.read(
        info,
        piece.through,
        info.settled,
        null,
        READ_MAX,
      );
      if (through === piece.through) break;
      piece.through = through;
      for (const event of events) {
        piece.events.push(event);
        bytes += approximateBytes(event);
      }
    }
    return piece;
  }

  /** Folds as much of it as is held in memory at a time; returns the rest, the next piece. */
  async #foldPiece({ events, through }: Piece): Promise<Piece> {
    const count = await this.#fold(events);
    if (count === events.length) return { events, through };
    const folded = events.slice(0, count);
    return { events: folded, through: (folded.at(-1) as StoredEvent).position.seq };
  }

  /** How many of them the states hold then. */
  async #fold(events: readonly StoredEvent[]): Promise<number> {
    if (events.length === 0) return 0;
    const count = await this.#parts.folder.fold(events);
    this.#pending.folded(count === events.length ? events : events.slice(0, count));
    return count;
  }

  #change(owner: string | null): Promise<boolean> {
    const change = this.#changing.then(() => this.#changeNow(owner));
    this.#changing = change.catch(() => undefined);
    return change;
  }

  async #changeNow(owner: string | null): Promise<boolean> {
    if (this.#isLost) return false;
    const began = performance.now();
    const { shard, beat, history, generation } = this.lease;
    const next = { owner, beat: beat + 1, folded: this.#folded, history, generation };
    const lease = await this.#parts.leases.change(shard, this.lease, next);
    if (lease === null) {
      this.stop();
      return false;
    }
    this.lease = lease;
    this.beatAt = began;
    return true;
  }
}

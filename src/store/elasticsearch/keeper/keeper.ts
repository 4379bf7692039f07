/**
 * Keeps the views of all shards, together with the other Shiplog servers: every shard in which
 * something happens is kept by one of them, and taken over when that one is not heard of.
 */
import { setTimeout } from 'node:timers/promises';
import { ShiplogError } from '../../../domain/errors.ts';
import type { Position, StoredEvent } from '../../../domain/event/event.ts';
import type { Bulk } from '../cluster/bulk.ts';
import type { Connection } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';
import type { StoreLog } from '../cluster/store-log.ts';
import type { Days } from '../indices/days.ts';
import { type Names, parseShard } from '../indices/names.ts';
import type { Shards } from '../indices/shards.ts';
import type { LogReader } from '../log/log-reader.ts';
import { CatchUpTurns, newestFirst } from './catch-up-turns.ts';
import { FoldWaits } from './fold-waiters.ts';
import type { HeldFor, HeldRuns } from './held-runs.ts';
import { Heartbeats } from './heartbeats.ts';
import { HostWriter } from './host-writer.ts';
import { KeptShards } from './kept-shards.ts';
import { Leases } from './leases.ts';
import { removeOlderGenerations } from './older-generations.ts';
import { Pacing } from './pacing.ts';
import { PendingRoom } from './pending-events.ts';
import { SetAside } from './set-aside.ts';
import { BATCH, ShardKeeper } from './shard-keeper.ts';
import { ShardWatch } from './shard-watch.ts';
import { type Taken, Takeover } from './takeover.ts';
import { TaskEntries } from './task-entries.ts';
import { ViewFolder } from './view-folder.ts';
import { ViewPositions } from './view-positions.ts';
import { ViewWriter } from './view-writer.ts';
import { WatchedLeases } from './watched-leases.ts';

/** Between two batches of a shard, so that what belongs to one run is written once. */
const COALESCE_MS = 150;
/** After a batch of so many events most of the next one concern the same runs, so it is waited for. */
const FLOOD_EVENTS = 1_000;
const FLOOD_COALESCE_MS = 500;
const FAILURE_PAUSE_MS = 500;
const WARN_EVERY_MS = 10_000;
/** A shard that failed comes after all others for so long. */
const FAILING_MS = 30_000;
/** How often whoever waits for a rebuild is told how far it is. */
const PROGRESS_EVERY_MS = 100;

export interface KeeperParts {
  connection: Connection;
  names: Names;
  shards: Shards;
  reader: LogReader;
  refresher: Refresher;
  bulk: Bulk;
  days: Pick<Days, 'viewsOf' | 'makeViews'>;
  leaseMs: number;
  pendingBytes: number;
  stateBytes: number;
  lagMax: number;
  log: StoreLog | null;
  /** The views of a shard begin anew, or another server keeps them now. */
  onLost: (shard: string) => void;
}

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #leases: Leases;
  readonly #hosts: HostWriter;
  readonly #kept: KeptShards;
  readonly #watched: WatchedLeases;
  readonly #watch: ShardWatch;
  readonly #heartbeats: Heartbeats;
  readonly #takeover: Takeover;
  readonly #waits = new FoldWaits((shard) => this.#work(shard));
  readonly #working = new Map<string, Promise<void>>();
  /** When the last try of a shard failed. */
  readonly #failed = new Map<string, number>();
  readonly #turns = new CatchUpTurns((shard) => {
    const at = this.#failed.get(shard);
    return at !== undefined && performance.now() - at < FAILING_MS;
  });
  readonly #pendingRoom: PendingRoom;
  /** The greatest seq of each shard that this server acknowledged. */
  readonly #told = new Map<string, number>();
  #warnedAt = -Infinity;
  #closed = false;
  readonly positions: ViewPositions;
  readonly pacing: Pacing;
  /** What no view is folded of any more. */
  readonly aside: SetAside;
  /** Documents of views. */
  written = 0;

  constructor(parts: KeeperParts) {
    const { shards, days, leaseMs, lagMax, log } = parts;
    this.#parts = parts;
    this.#watched = new WatchedLeases(lagMax);
    this.#pendingRoom = new PendingRoom(parts.pendingBytes);
    this.aside = new SetAside(log);
    this.#hosts = new HostWriter(parts.connection, parts.bulk, parts.names.hosts, this.aside);
    const leases = new Leases(parts.connection, parts.names.meta);
    const kept = new KeptShards(parts.stateBytes, (shard) => {
      this.positions.forget(shard);
      parts.onLost(shard);
    });
    this.#leases = leases;
    this.#kept = kept;
    const known = { shards, leases, kept, watched: this.#watched };
    this.positions = new ViewPositions({ ...known, lagMax, waits: this.#waits });
    this.pacing = new Pacing({ ...known, waits: this.#waits });
    this.#takeover = new Takeover({ ...known, days, leaseMs });
    this.#watch = new ShardWatch({
      ...{ ...known, log },
      work: (shard) => this.#work(shard),
      isWorking: (shard) => this.#working.has(shard),
    });
    this.#heartbeats = new Heartbeats({ kept, leaseMs, log });
  }

  /** About what the states that are held for events to come take in memory. */
  get stateBytes(): number {
    return this.#kept.stateBytes;
  }

  start(): void {
    this.#watch.start();
    this.#heartbeats.start();
  }

  /** Events that this server stored; `others`: where those are that it only found to be there. */
  offer(events: readonly StoredEvent[], others: readonly Position[]): void {
    const shards = new Set<string>();
    for (const event of events) {
      const { shard, seq } = event.position;
      this.#kept.get(shard)?.offer(event);
      this.#told.set(shard, Math.max(seq, this.#told.get(shard) ?? 0));
      shards.add(shard);
    }
    for (const { shard, seq } of others) {
      this.#kept.get(shard)?.lacks(seq);
      this.#told.set(shard, Math.max(seq, this.#told.get(shard) ?? 0));
    }
    for (const shard of shards) this.#work(shard);
  }

  /**
   * Folds what this server stored of some tasks of a shard ahead of all the rest, into what
   * `unstored` has. false: it cannot, and is to be waited for.
   */
  async foldAhead(shard: string, taskIds: ReadonlySet<string>): Promise<boolean> {
    const keeper = this.#kept.get(shard);
    if (keeper === undefined || !(await keeper.foldAhead(taskIds))) return false;
    return this.#kept.get(shard) === keeper;
  }

  /** Runs of a task as they are in memory; null: they are not, or are too many. */
  async held(shard: string, taskId: string, to: HeldFor): Promise<HeldRuns | null> {
    const keeper = this.#kept.get(shard);
    const held = (await keeper?.held(taskId, to)) ?? null;
    return this.#kept.get(shard) === keeper ? held : null;
  }

  /** Call it before a refresh of a shard's views, and what it returns when the refresh has ended. */
  refreshing(shard: string): () => void {
    return this.#kept.get(shard)?.refreshing() ?? (() => undefined);
  }

  /** A view's document that is not stored as it is now; null: it is to be removed. */
  unstored(shard: string, id: string): string | null | undefined {
    return this.#kept.get(shard)?.unstored(id);
  }

  /** The day's indices are deleted. */
  forget(day: string): void {
    this.#watched.forget(day);
    for (const noted of [this.#told, this.#failed]) {
      for (const shard of noted.keys()) if (parseShard(shard)?.day === day) noted.delete(shard);
    }
    for (const shard of this.positions.shardsOf(day)) this.#kept.lose(shard);
  }

  /**
   * Folds the views of all shards anew from the log. `onProgress` is told how many events of how
   * many are folded. While it runs, views of tasks not reached yet are as they were.
   */
  async rebuild(onProgress: (done: number, total: number) => void): Promise<void> {
    const { shards } = this.#parts;
    const infos = newestFirst(await shards.read(null));
    for (const info of infos) await this.#takeover.restart(info);
    for (;;) {
      // Nothing is waited for of a day that was removed or restored meanwhile.
      const there = infos.filter((info) => shards.known(info.shard)?.history === info.history);
      const total = there.reduce((sum, { seq }) => sum + seq, 0);
      const folded = await this.positions.of(there);
      const done = there.reduce(
        (sum, { shard, seq }) => sum + Math.min(seq, folded.get(shard) ?? 0),
        0,
      );
      onProgress(done, total);
      if (done >= total) return;
      if (this.#closed) throw new ShiplogError('SHUTTING_DOWN', 'The store is closed');
      for (const { shard } of there) this.#work(shard);
      await setTimeout(PROGRESS_EVERY_MS);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#turns.close();
    this.#waits.close();
    await this.#watch.close();
    await Promise.all(this.#working.values());
    await this.#heartbeats.close();
    await this.#kept.releaseAll();
  }

  /** Begins to fold what there is, unless it is being done. */
  #work(shard: string): void {
    if (this.#closed || this.#working.has(shard)) return;
    const work = this.#run(shard)
      .catch(async (error: unknown) => {
        // What is in memory may be ahead of what is stored: begin again from what is recorded.
        this.#kept.lose(shard);
        this.#failed.set(shard, performance.now());
        this.#turns.give(shard);
        this.#warn(error);
        await this.#waits.pause(shard, FAILURE_PAUSE_MS);
      })
      .finally(() => {
        this.#turns.give(shard);
        this.#working.delete(shard);
      });
    this.#working.set(shard, work);
  }

  /** What goes wrong at each turn is said now and then. */
  #warn(error: unknown): void {
    const now = performance.now();
    if (this.#closed || now - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = now;
    this.#parts.log?.warn({ err: error }, 'views could not be folded; trying again');
  }

  async #run(shard: string): Promise<void> {
    const place = parseShard(shard);
    if (place === null) return;
    const { shards } = this.#parts;
    while (!this.#closed) {
      if (this.#kept.get(shard)?.isCatchingUp === false) this.#turns.give(shard);
      else await this.#turns.take(shard, place.day);
      if (this.#closed) return;
      const keeper = this.#kept.get(shard) ?? (await this.#take(shard));
      if (keeper === null) return;
      let info = shards.known(shard);
      const isNear = keeper.lag(info?.settled ?? 0) < BATCH;
      if (!keeper.hasNext || !isNear || info === null) {
        info = await shards.one(place.day, place.shard);
        if (info === null || info.history !== keeper.lease.history) {
          this.#kept.lose(shard);
          return;
        }
        if (!keeper.hasNext && info.settled <= keeper.folded) {
          if (!(await keeper.recorded())) {
            this.#kept.lose(shard);
            return;
          }
          if (!keeper.hasNext) return;
        }
      }
      const from = keeper.folded;
      if (!(await keeper.step(info))) {
        this.#kept.lose(shard);
        return;
      }
      this.#failed.delete(shard);
      this.#kept.makeRoom();
      const inTime = isNear && !this.#waits.isWaitedFor(shard);
      const folded = keeper.folded - from;
      if (!inTime && folded > 0) continue;
      this.#turns.give(shard);
      await this.#waits.pause(shard, folded > FLOOD_EVENTS ? FLOOD_COALESCE_MS : COALESCE_MS);
    }
  }

  async #take(shard: string): Promise<ShardKeeper | null> {
    const taken = await this.#takeover.take(shard);
    if (taken === null || this.#closed) return null;
    const keeper = this.#keeperOf(taken);
    this.#kept.add(shard, keeper);
    return keeper;
  }

  #keeperOf({ info, lease, began }: Taken): ShardKeeper {
    const { connection, names, refresher, bulk, reader, leaseMs, lagMax } = this.#parts;
    const index = names.views(info.day);
    const { generation } = lease;
    const { shard } = info;
    const aside = this.aside;
    const entries = new TaskEntries({ connection, refresher, index, shard, generation, aside });
    const writer = new ViewWriter({
      ...{ bulk, index, aside },
      mayWrite: () => keeper.holds(),
      onWrite: (documents) => {
        this.written += documents;
      },
    });
    const folder = new ViewFolder({ generation, entries, writer, aside });
    const lacksTo = this.#told.get(shard) ?? 0;
    const keeper: ShardKeeper = new ShardKeeper({
      ...{ reader, folder, writer, entries, leaseMs, lagMax, lease, lacksTo },
      pendingRoom: this.#pendingRoom,
      ...{ beatAt: began, recoverTo: info.seq },
      ...{ leases: this.#leases, hosts: this.#hosts, owner: this.#takeover.owner },
      onFolded: (through) => this.#waits.reached(shard, through),
      sweep: (number, version) =>
        removeOlderGenerations({ connection, bulk, refresher, index, generation }, number, version),
    });
    return keeper;
  }
}

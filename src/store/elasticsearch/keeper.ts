/**
 * Keeps the views of all shards, together with the other Shiplog servers: every shard in which
 * something happens is kept by one of them, and taken over when that one is not heard of.
 */
import { randomUUID } from 'node:crypto';
import { ShiplogError } from '../../domain/errors.ts';
import type { Position, StoredEvent } from '../../domain/event.ts';
import type { Bulk } from './bulk.ts';
import { type Connection, unavailable } from './connection.ts';
import type { Days } from './days.ts';
import { removeGhosts } from './ghosts.ts';
import { HostWriter } from './host-writer.ts';
import { type Lease, Leases } from './leases.ts';
import type { LogReader } from './log-reader.ts';
import { type Names, parseShard } from './names.ts';
import type { Refresher } from './refresh.ts';
import { ShardKeeper } from './shard-keeper.ts';
import type { ShardInfo, Shards } from './shards.ts';
import { TaskEntries } from './task-entries.ts';
import { ViewFolder } from './view-folder.ts';

/** How often is looked for what other servers appended, and for shards that nobody keeps. */
const TICK_MS = 500;
/** Between two batches of a shard, so that what belongs to one run is written once. */
const COALESCE_MS = 150;
const RELEASE_IDLE_MS = 30_000;
const WAIT_MAX_MS = 10_000;
const WATCH_MS = 50;
/** A lease may be lost while somebody waits. */
const KEPT_WAIT_MS = 500;
const FAILURE_PAUSE_MS = 500;

export interface KeeperLog {
  warn(fields: object, message: string): void;
}

export interface ViewsParts {
  connection: Connection;
  names: Names;
  shards: Shards;
  reader: LogReader;
  refresher: Refresher;
  bulk: Bulk;
  days: Pick<Days, 'viewsOf' | 'makeViews'>;
  leaseMs: number;
  log: KeeperLog | null;
}

interface Waiter {
  shard: string;
  seq: number;
  resolve: () => void;
}

export class Keeper {
  readonly #parts: ViewsParts;
  readonly #leases: Leases;
  readonly #hosts: HostWriter;
  readonly #owner = randomUUID();
  readonly #kept = new Map<string, ShardKeeper>();
  /** What is known of the shards that others keep, and since when it has not changed. */
  readonly #seen = new Map<string, { lease: Lease; since: number }>();
  readonly #working = new Map<string, Promise<void>>();
  readonly #waiters = new Set<Waiter>();
  readonly #pauses = new Map<string, () => void>();
  readonly #shown = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #ticking: Promise<void> | null = null;
  #closed = false;
  written = 0;

  constructor(parts: ViewsParts) {
    this.#parts = parts;
    this.#leases = new Leases(parts.connection, parts.names.meta);
    this.#hosts = new HostWriter(parts.connection, parts.bulk, parts.names.hosts);
  }

  start(): void {
    this.#schedule(0);
  }

  /** Events that this server stored. */
  offer(events: readonly StoredEvent[]): void {
    const shards = new Set<string>();
    for (const event of events) {
      this.#kept.get(event.position.shard)?.offer(event);
      shards.add(event.position.shard);
    }
    for (const shard of shards) this.#work(shard);
  }

  /** Resolves when searches over views see what is at or below these positions. */
  async reach(positions: readonly Position[]): Promise<void> {
    const most = new Map<string, number>();
    for (const { shard, seq } of positions) most.set(shard, Math.max(seq, most.get(shard) ?? 0));
    await Promise.all([...most].map(([shard, seq]) => this.#reach(shard, seq)));
  }

  async #reach(shard: string, seq: number): Promise<void> {
    if ((this.#shown.get(shard) ?? 0) >= seq) return;
    await this.#folded(shard, seq);
    const day = parseShard(shard)?.day;
    if (day === undefined) return;
    const folded = this.#kept.get(shard)?.folded ?? seq;
    const { refresher, names } = this.#parts;
    await Promise.all([refresher.refresh(names.views(day)), refresher.refresh(names.hosts)]);
    this.#shown.set(shard, Math.max(folded, this.#shown.get(shard) ?? 0));
  }

  async #folded(shard: string, seq: number): Promise<void> {
    const deadline = performance.now() + WAIT_MAX_MS;
    while (performance.now() < deadline) {
      if (this.#closed) throw new ShiplogError('SHUTTING_DOWN', 'The store is closed');
      const kept = this.#kept.get(shard);
      if (kept !== undefined) {
        if (kept.folded >= seq) return;
        await this.#wait(shard, seq, KEPT_WAIT_MS);
        continue;
      }
      const [lease] = await this.#leases.read([shard]);
      if (lease != null && lease.folded >= seq) return;
      this.#work(shard);
      await this.#wait(shard, seq, WATCH_MS);
    }
    throw unavailable('The views are behind the log; try again');
  }

  #wait(shard: string, seq: number, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const waiter: Waiter = { shard, seq, resolve: done };
      const timer = setTimeout(done, ms);
      const waiters = this.#waiters;
      function done(): void {
        clearTimeout(timer);
        waiters.delete(waiter);
        resolve();
      }
      waiters.add(waiter);
      this.#pauses.get(shard)?.();
      this.#work(shard);
    });
  }

  /** Where the views of a shard stand, whoever keeps them. */
  async positions(infos: readonly ShardInfo[]): Promise<Map<string, number>> {
    const folded = new Map<string, number>();
    const ask: string[] = [];
    for (const { shard } of infos) {
      const kept = this.#kept.get(shard);
      if (kept === undefined) ask.push(shard);
      else folded.set(shard, kept.folded);
    }
    const leases = await this.#leases.read(ask);
    for (const [i, shard] of ask.entries()) folded.set(shard, leases[i]?.folded ?? 0);
    return folded;
  }

  /** Events between the settled log and the views that this server keeps. */
  lag(): number {
    let lag = 0;
    for (const [shard, kept] of this.#kept) {
      lag += Math.max(0, (this.#parts.shards.known(shard)?.seq ?? 0) - kept.folded, kept.waiting);
    }
    return lag;
  }

  forget(day: string): void {
    for (const shard of [...this.#kept.keys(), ...this.#seen.keys()]) {
      if (parseShard(shard)?.day !== day) continue;
      this.#kept.delete(shard);
      this.#seen.delete(shard);
      this.#shown.delete(shard);
    }
  }

  /**
   * Folds the views of all shards anew from the log. `onProgress` is told how many events of how
   * many are folded. While it runs, views of tasks not reached yet are as they were.
   */
  async rebuild(onProgress: (done: number, total: number) => void): Promise<void> {
    const infos = await this.#parts.shards.read(null);
    const total = infos.reduce((sum, { seq }) => sum + seq, 0);
    for (const info of infos) await this.#restart(info);
    for (;;) {
      const folded = await this.positions(infos);
      const done = infos.reduce(
        (sum, { shard, seq }) => sum + Math.min(seq, folded.get(shard) ?? 0),
        0,
      );
      onProgress(done, total);
      if (done >= total) return;
      if (this.#closed) throw new ShiplogError('SHUTTING_DOWN', 'The store is closed');
      for (const { shard } of infos) this.#work(shard);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Whoever keeps the shard loses it, and the next begins a new generation. */
  async #restart({ shard, history }: ShardInfo): Promise<void> {
    for (;;) {
      const [was = null] = await this.#leases.read([shard]);
      const next = {
        owner: null,
        beat: (was?.beat ?? 0) + 1,
        folded: 0,
        history,
        generation: (was?.generation ?? 0) + 1,
      };
      if ((await this.#leases.change(shard, was, next)) !== null) break;
    }
    this.#kept.delete(shard);
    this.#shown.delete(shard);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const waiter of [...this.#waiters]) waiter.resolve();
    for (const resume of this.#pauses.values()) resume();
    await this.#ticking;
    await Promise.all(this.#working.values());
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(kept.map((keeper) => keeper.release().catch(() => undefined)));
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#ticking = this.#tick()
        .catch((error: unknown) => this.#warn(error, 'the views could not be looked after'))
        .finally(() => this.#schedule(TICK_MS));
    }, ms);
    this.#timer.unref();
  }

  #warn(error: unknown, message: string): void {
    if (!this.#closed) this.#parts.log?.warn({ err: error }, message);
  }

  async #tick(): Promise<void> {
    const infos = await this.#parts.shards.current();
    const behind = infos.filter((info) => !this.#isKnownFolded(info));
    const leases = await this.#leases.read(behind.map(({ shard }) => shard));
    for (const [i, info] of behind.entries()) this.#see(info, leases[i] ?? null);
    for (const [shard, keeper] of this.#kept) {
      const info = this.#parts.shards.known(shard);
      const { history } = keeper.lease;
      if (info !== null && (info.seq > keeper.folded || info.history !== history))
        this.#work(shard);
      else if (performance.now() - keeper.usedAt > RELEASE_IDLE_MS) await this.#drop(keeper);
      else if (performance.now() - keeper.beatAt > this.#parts.leaseMs / 3) {
        if (!this.#working.has(shard) && !(await keeper.beat())) this.#kept.delete(shard);
      }
    }
  }

  /** Kept here, or seen to be folded to its end. */
  #isKnownFolded(info: ShardInfo): boolean {
    if (this.#kept.has(info.shard)) return true;
    const seen = this.#seen.get(info.shard)?.lease;
    return info.seq === 0 || (seen?.folded === info.seq && seen.history === info.history);
  }

  #see(info: ShardInfo, lease: Lease | null): void {
    const seen = this.#seen.get(info.shard);
    if (lease !== null && (seen === undefined || seen.lease.seqNo !== lease.seqNo)) {
      this.#seen.set(info.shard, { lease, since: performance.now() });
    }
    if (this.#isKnownFolded(info)) return;
    this.#work(info.shard);
  }

  async #drop(keeper: ShardKeeper): Promise<void> {
    const { shard } = keeper.lease;
    if (this.#working.has(shard)) return;
    this.#kept.delete(shard);
    await keeper.release();
  }

  /** Begins to fold what there is, unless it is being done. */
  #work(shard: string): void {
    if (this.#closed || this.#working.has(shard)) return;
    const work = this.#run(shard)
      .catch(async (error: unknown) => {
        // What is in memory may be ahead of what is stored: begin again from what is recorded.
        this.#kept.delete(shard);
        this.#warn(error, 'views could not be folded; trying again');
        await this.#pause(shard, FAILURE_PAUSE_MS);
      })
      .finally(() => this.#working.delete(shard));
    this.#working.set(shard, work);
  }

  async #run(shard: string): Promise<void> {
    const place = parseShard(shard);
    if (place === null) return;
    while (!this.#closed) {
      const keeper = this.#kept.get(shard) ?? (await this.#acquire(shard));
      if (keeper === null) return;
      let info = this.#parts.shards.known(shard);
      if (!keeper.hasNext || info === null) {
        info = await this.#parts.shards.one(place.day, place.shard);
        if (info === null || info.history !== keeper.lease.history) {
          this.#kept.delete(shard);
          this.#shown.delete(shard);
          return;
        }
        if (!keeper.hasNext && info.settled <= keeper.folded) return;
      }
      const from = keeper.folded;
      if (!(await keeper.step(info))) {
        this.#kept.delete(shard);
        return;
      }
      for (const waiter of [...this.#waiters]) {
        if (waiter.shard === shard && waiter.seq <= keeper.folded) waiter.resolve();
      }
      const wanted = [...this.#waiters].some((waiter) => waiter.shard === shard);
      if (!wanted || keeper.folded === from) await this.#pause(shard, COALESCE_MS);
    }
  }

  #pause(shard: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#pauses.delete(shard);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#pauses.set(shard, done);
      if (this.#closed) done();
    });
  }

  /** Takes the shard's lease where nobody holds it, or its holder was silent for all of it. */
  async #acquire(shard: string): Promise<ShardKeeper | null> {
    const place = parseShard(shard);
    if (place === null) return null;
    const info = await this.#parts.shards.one(place.day, place.shard);
    if (info === null || !(await this.#hasViews(place.day))) return null;
    const [was = null] = await this.#leases.read([shard]);
    if (was !== null && was.owner !== null && was.owner !== this.#owner) {
      const seen = this.#seen.get(shard);
      if (seen === undefined || seen.lease.seqNo !== was.seqNo) {
        this.#seen.set(shard, { lease: was, since: performance.now() });
        return null;
      }
      if (performance.now() - seen.since < this.#parts.leaseMs) return null;
    }
    const restored = was !== null && was.history !== info.history;
    if (restored) this.#shown.delete(shard);
    const began = performance.now();
    const lease = await this.#leases.change(shard, was, {
      owner: this.#owner,
      beat: (was?.beat ?? 0) + 1,
      folded: was === null || restored ? 0 : was.folded,
      history: info.history,
      generation: (was?.generation ?? 0) + (restored ? 1 : 0),
    });
    if (lease === null || this.#closed) return null;
    const keeper = this.#keep(info, lease, began);
    this.#kept.set(shard, keeper);
    return keeper;
  }

  /**
   * Makes the index of a day's views where somebody deleted it: then all its shards are folded
   * anew, which is written down first. false: the day itself is gone.
   */
  async #hasViews(day: string): Promise<boolean> {
    const { days, shards } = this.#parts;
    const state = await days.viewsOf(day);
    if (state === 'missing') {
      for (const info of await shards.read(day)) await this.#restart(info);
      await days.makeViews(day);
    }
    return state !== 'gone';
  }

  #keep(info: ShardInfo, lease: Lease, beatAt: number): ShardKeeper {
    const { connection, names, refresher, bulk, reader, leaseMs } = this.#parts;
    const index = names.views(info.day);
    const { generation } = lease;
    const entries = new TaskEntries(connection, refresher, index, generation);
    const folder = new ViewFolder({
      ...{ bulk, index, generation, entries },
      onWrite: (documents, refused) => {
        this.written += documents;
        if (refused > 0) this.#parts.log?.warn({ refused, index }, 'views were refused');
      },
    });
    const leases = this.#leases;
    const hosts = this.#hosts;
    const owner = this.#owner;
    return new ShardKeeper(
      {
        ...{ leases, reader, hosts, folder, entries, leaseMs, owner },
        sweep: (shard, version) =>
          removeGhosts({ connection, bulk, refresher, index, generation }, shard, version),
      },
      lease,
      beatAt,
      info.seq,
    );
  }
}

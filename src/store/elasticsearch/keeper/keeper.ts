/**
 * Keeps the views of all shards, together with the other Shiplog servers: every shard in which
 * something happens is kept by one of them, and taken over when that one is not heard of.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ShiplogError } from '../../../domain/errors.ts';
import type { StoredEvent } from '../../../domain/event/event.ts';
import { guarded } from '../../../guarded.ts';
import type { Bulk } from '../cluster/bulk.ts';
import type { Connection } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';
import type { StoreLog } from '../cluster/store-log.ts';
import type { Days } from '../indices/days.ts';
import { type Names, parseShard } from '../indices/names.ts';
import type { ShardInfo, Shards } from '../indices/shards.ts';
import type { LogReader } from '../log/log-reader.ts';
import { FoldWaits } from './fold-waiters.ts';
import { HostWriter } from './host-writer.ts';
import { type Lease, Leases } from './leases.ts';
import { removeGhosts } from './older-generations.ts';
import { SetAside } from './set-aside.ts';
import { BATCH, LAG_MAX, ShardKeeper } from './shard-keeper.ts';
import { TaskEntries } from './task-entries.ts';
import { ViewFolder } from './view-folder.ts';
import type { Standing } from './views-reach.ts';
import { WatchedLeases } from './watched-leases.ts';

/** How often is looked for what other servers appended, and for shards that nobody keeps. */
const TICK_MS = 500;
/** Between two batches of a shard, so that what belongs to one run is written once. */
const COALESCE_MS = 150;
const RELEASE_IDLE_MS = 30_000;
const WATCH_MS = 50;
/** A lease may be lost while somebody waits. */
const KEPT_WAIT_MS = 500;
const FAILURE_PAUSE_MS = 500;
const WARN_EVERY_MS = 10_000;
/** How long an append waits for views that are too far behind. */
const PACE_MAX_MS = 2_000;

export interface ViewsParts {
  connection: Connection;
  names: Names;
  shards: Shards;
  reader: LogReader;
  refresher: Refresher;
  bulk: Bulk;
  days: Pick<Days, 'viewsOf' | 'makeViews'>;
  leaseMs: number;
  log: StoreLog | null;
  /** The views of a shard begin anew, or another server keeps them now. */
  onLost: (shard: string) => void;
}

export class Keeper {
  readonly #parts: ViewsParts;
  readonly #leases: Leases;
  readonly #hosts: HostWriter;
  readonly #owner = randomUUID();
  readonly #kept = new Map<string, ShardKeeper>();
  readonly #watched = new WatchedLeases();
  readonly #working = new Map<string, Promise<void>>();
  readonly #waits = new FoldWaits();
  readonly #warnedAt = new Map<string, number>();
  readonly #turn: () => void;
  /** The last looks at leases of others, which all that wait share. */
  readonly #looks = new Map<string, { at: number; folded: Promise<number> }>();
  #timer: NodeJS.Timeout | null = null;
  #ticking: Promise<void> | null = null;
  #closed = false;
  /** What no view is folded of any more. */
  readonly aside: SetAside;
  written = 0;
  /** Appends that had to wait for the views. */
  paced = 0;

  constructor(parts: ViewsParts) {
    this.#parts = parts;
    this.#leases = new Leases(parts.connection, parts.names.meta);
    this.#hosts = new HostWriter(parts.connection, parts.bulk, parts.names.hosts);
    this.aside = new SetAside(parts.log);
    const log = parts.log ?? { error: () => undefined };
    this.#turn = guarded(log, 'looking after the views', () => {
      const ticking = this.#tick().finally(() => this.#schedule(TICK_MS));
      this.#ticking = ticking.catch(() => undefined);
      return ticking.catch((error) => {
        if (!this.#closed) throw error;
      });
    });
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

  /** Whether there are shards whose views lack so much that even what is quiet may show the past. */
  hasFarBehind(): boolean {
    for (const { folded, recoverTo } of this.#kept.values()) if (folded < recoverTo) return true;
    for (const shard of [...this.#kept.keys(), ...this.#watched.shards()]) {
      if (this.standing(shard).lag > LAG_MAX) return true;
    }
    return false;
  }

  /** How the views of a shard stand, as far as is known without asking. */
  standing(shard: string): Standing {
    const known = this.#parts.shards.known(shard)?.seq ?? 0;
    const kept = this.#kept.get(shard);
    if (kept === undefined) {
      const folded = this.#watched.folded(shard);
      // Of a shard that was never looked at nothing is known to be lacking.
      return { folded: folded ?? 0, lag: folded === null ? 0 : known - folded, recoverTo: 0 };
    }
    const { folded, recoverTo } = kept;
    return { folded, lag: kept.lag(known), recoverTo };
  }

  /** Resolves to true when the views of a shard hold what is at or below `seq`, to false after `ms`. */
  async folded(shard: string, seq: number, ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    for (;;) {
      if (this.#closed) throw new ShiplogError('SHUTTING_DOWN', 'The store is closed');
      const kept = this.#kept.get(shard);
      const folded = kept === undefined ? await this.#lookAt(shard) : kept.folded;
      if (folded >= seq) return true;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await this.#wait(shard, seq, Math.min(left, kept === undefined ? WATCH_MS : KEPT_WAIT_MS));
    }
  }

  /** Up to where another server says that it is. */
  #lookAt(shard: string): Promise<number> {
    const now = performance.now();
    const last = this.#looks.get(shard);
    if (last !== undefined && now - last.at < WATCH_MS / 2) return last.folded;
    const folded = this.#leases.read([shard]).then(([lease]) => lease?.folded ?? 0);
    this.#looks.set(shard, { at: now, folded });
    return folded;
  }

  #wait(shard: string, seq: number, ms: number): Promise<void> {
    const waited = this.#waits.wait(shard, seq, ms);
    this.#work(shard);
    return waited;
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
      lag += kept.lag(this.#parts.shards.known(shard)?.seq ?? 0);
    }
    return lag;
  }

  /**
   * Resolves when more may be appended to these shards: at once where their views keep up, and
   * after a moment in any case, for an event is worth more than the views of it.
   */
  async pace(shards: Iterable<string>): Promise<void> {
    const waits: Promise<unknown>[] = [];
    for (const shard of shards) {
      const known = this.#parts.shards.known(shard)?.seq ?? 0;
      const kept = this.#kept.get(shard);
      const wanted = kept?.wantedBefore(known) ?? null;
      if (wanted !== null) waits.push(this.#wait(shard, wanted, PACE_MAX_MS));
      else if (kept === undefined && this.#watched.isFarBehind(shard, known)) {
        // Until it is looked at again.
        waits.push(setTimeout(TICK_MS, undefined, { ref: false }));
      }
    }
    if (waits.length === 0) return;
    this.paced++;
    await Promise.all(waits);
  }

  forget(day: string): void {
    this.#watched.forget(day);
    for (const shard of [...this.#kept.keys(), ...this.#looks.keys()]) {
      if (parseShard(shard)?.day === day) this.#lose(shard);
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
      await setTimeout(100);
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
    this.#lose(shard);
  }

  /** What is known of its views is believed no longer: another server may begin them anew. */
  #lose(shard: string): void {
    this.#kept.delete(shard);
    this.#looks.delete(shard);
    this.#parts.onLost(shard);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#waits.close();
    await this.#ticking;
    await Promise.all(this.#working.values());
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(kept.map((keeper) => keeper.release().catch(() => undefined)));
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = globalThis.setTimeout(this.#turn, ms);
    this.#timer.unref();
  }

  /** What goes wrong at each turn is said now and then. */
  #warn(error: unknown, message: string): void {
    const now = performance.now();
    if (this.#closed || now - (this.#warnedAt.get(message) ?? -Infinity) < WARN_EVERY_MS) return;
    this.#warnedAt.set(message, now);
    this.#parts.log?.warn({ err: error }, message);
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
        if (!this.#working.has(shard) && !(await keeper.beat())) this.#lose(shard);
      }
    }
  }

  /** Kept here, or seen to be folded to its end. */
  #isKnownFolded(info: ShardInfo): boolean {
    return this.#kept.has(info.shard) || this.#watched.isFolded(info);
  }

  #see(info: ShardInfo, lease: Lease | null): void {
    if (lease !== null) this.#watched.see(info, lease);
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
        this.#lose(shard);
        this.#warn(error, 'views could not be folded; trying again');
        await this.#waits.pause(shard, FAILURE_PAUSE_MS);
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
      const isNear = keeper.lag(info?.settled ?? 0) < BATCH;
      if (!keeper.hasNext || !isNear || info === null) {
        info = await this.#parts.shards.one(place.day, place.shard);
        if (info === null || info.history !== keeper.lease.history) {
          this.#lose(shard);
          return;
        }
        if (!keeper.hasNext && info.settled <= keeper.folded) return;
      }
      const from = keeper.folded;
      if (!(await keeper.step(info))) {
        this.#lose(shard);
        return;
      }
      const inTime = isNear && !this.#waits.isWaitedFor(shard);
      if (inTime || keeper.folded === from) await this.#waits.pause(shard, COALESCE_MS);
    }
  }

  /** Takes the shard's lease where nobody holds it, or its holder was silent for all of it. */
  async #acquire(shard: string): Promise<ShardKeeper | null> {
    const place = parseShard(shard);
    if (place === null) return null;
    const info = await this.#parts.shards.one(place.day, place.shard);
    if (info === null || !(await this.#hasViews(place.day))) return null;
    const [was = null] = await this.#leases.read([shard]);
    if (was !== null && was.owner !== null && was.owner !== this.#owner) {
      const silence = this.#watched.silence(was);
      this.#watched.see(info, was);
      if (silence < this.#parts.leaseMs) return null;
    }
    const restored = was !== null && was.history !== info.history;
    if (restored) this.#lose(shard);
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
    const { shard } = info;
    const entries = new TaskEntries({
      ...{ connection, refresher, index, shard, generation },
      aside: this.aside,
    });
    const folder = new ViewFolder({
      ...{ bulk, index, generation, entries, aside: this.aside },
      onWrite: (documents) => {
        this.written += documents;
      },
    });
    const leases = this.#leases;
    const hosts = this.#hosts;
    const owner = this.#owner;
    return new ShardKeeper(
      {
        ...{ leases, reader, hosts, folder, entries, leaseMs, owner },
        onFolded: (through) => this.#waits.reached(shard, through),
        sweep: (shard, version) =>
          removeGhosts({ connection, bulk, refresher, index, generation }, shard, version),
      },
      lease,
      beatAt,
      info.seq,
    );
  }
}

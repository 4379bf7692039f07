/**
 * Waiting until views show what they should: a position, for those who need it, or what was
 * acknowledged, for readers, who would rather be told how far behind the views are than wait long.
 */
import { setTimeout } from 'node:timers/promises';
import { ShiplogError } from '../../../domain/errors.ts';
import type { Position } from '../../../domain/event/event.ts';
import type { ViewsAsked } from '../../store.ts';
import { unavailable } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';
import { type Names, parseShard } from '../indices/names.ts';
import type { Shards } from '../indices/shards.ts';
import { CHANGED_RUNS_MAX, type HeldFor, type HeldRuns } from './held-runs.ts';
import type { Keeper } from './keeper.ts';
import type { ViewPositions } from './view-positions.ts';

export interface ViewsReachParts {
  names: Names;
  shards: Shards;
  refresher: Refresher;
  /** No reader waits longer. */
  readWaitMs: number;
  /** Readers are told of views that lack more events. */
  lagMax: number;
  positions: ViewPositions;
  keeper: Pick<Keeper, 'foldAhead' | 'held' | 'refreshing'>;
}

const REACH_MAX_MS = 10_000;
/** A reader does not wait where more than some seconds of folding are before it: so many times `lagMax`. */
const WORTH_WAITING = 2;
const READERS_MAX = 1_000;
/** Tasks of one call that are answered from memory; more of them are searched for together. */
const HELD_TASKS_MAX = 20;
/** Where a reader met more runs that searches do not show, the next one shall meet fewer. */
const REFRESH_FROM = CHANGED_RUNS_MAX / 10;

export class ViewsReach {
  readonly #parts: ViewsReachParts;
  /** How far searches see the views of a shard, and in which history of it. */
  readonly #shown = new Map<string, { seq: number; history: number | null }>();
  /** How far the views of a shard were when they were waited for in vain. */
  readonly #stuck = new Map<string, number>();
  #readers = 0;

  constructor(parts: ViewsReachParts) {
    this.#parts = parts;
  }

  /** Resolves when searches over views see what is at or below these positions. */
  async reach(positions: readonly Position[]): Promise<void> {
    const most = new Map<string, number>();
    for (const { shard, seq } of positions) most.set(shard, Math.max(seq, most.get(shard) ?? 0));
    await Promise.all([...most].map(([shard, seq]) => this.#reach(shard, seq)));
  }

  async #reach(shard: string, seq: number): Promise<void> {
    const { refresher, names, positions } = this.#parts;
    if (!(await positions.reached(shard, seq, REACH_MAX_MS))) {
      throw unavailable('The views are behind the log; try again');
    }
    await Promise.all([this.show(shard, seq), refresher.refresh(names.hosts)]);
  }

  /**
   * Resolves when those who ask in this way see what was acknowledged of these tasks of a shard, or
   * when that would take too long: to the events that the views lack then, else to 0.
   */
  async forReader(
    shard: string,
    acknowledged: ReadonlyMap<string, number>,
    to: ViewsAsked,
  ): Promise<number> {
    const { positions } = this.#parts;
    const { folded, lag, recoverTo } = positions.standing(shard);
    const there = to === 'BY_ID' ? folded : Math.min(folded, this.#shownTo(shard));
    const seq = Math.max(recoverTo, ...acknowledged.values());
    if (there < seq && !(await this.#isInMemory(shard, acknowledged, there, to))) {
      if (folded < seq && !(await this.#wait(shard, seq, folded))) {
        return Math.max(1, seq - folded, positions.standing(shard).lag);
      }
      if (to !== 'BY_ID') await this.show(shard, seq);
    }
    return lag > this.#parts.lagMax ? positions.standing(shard).lag : 0;
  }

  /** Whether what is not stored, or not in searches yet, is answered from memory. */
  async #isInMemory(
    shard: string,
    acknowledged: ReadonlyMap<string, number>,
    there: number,
    to: ViewsAsked,
  ): Promise<boolean> {
    const tasks = [...acknowledged].flatMap(([taskId, seq]) => (seq > there ? [taskId] : []));
    if (to === 'BY_SEARCH' || (to !== 'BY_ID' && tasks.length > HELD_TASKS_MAX)) return false;
    const tooLong = new AbortController();
    const { signal } = tooLong;
    try {
      // Not for ever, as where states cannot be read.
      return await Promise.race([
        this.#takeIntoMemory(shard, tasks, to),
        setTimeout(this.#parts.readWaitMs / 2, false, { signal }).catch(() => false),
      ]);
    } catch (error) {
      if (error instanceof ShiplogError && error.code === 'STORE_UNAVAILABLE') return false;
      throw error;
    } finally {
      tooLong.abort();
    }
  }

  async #takeIntoMemory(
    shard: string,
    taskIds: readonly string[],
    to: HeldFor | 'BY_ID',
  ): Promise<boolean> {
    const { keeper } = this.#parts;
    if (!(await keeper.foldAhead(shard, new Set(taskIds)))) return false;
    if (to === 'BY_ID') return true;
    const held = await Promise.all(taskIds.map((taskId) => keeper.held(shard, taskId, to)));
    return !held.includes(null);
  }

  /**
   * Runs of a task as they are in memory, where searches do not show all that was acknowledged of
   * it; null: ask them, for now they do as far as may be waited for.
   */
  async held(
    shard: string,
    taskId: string,
    acknowledged: number,
    to: HeldFor,
  ): Promise<HeldRuns | null> {
    if (this.#shownTo(shard) >= acknowledged) return null;
    const held = await this.#parts.keeper.held(shard, taskId, to);
    // It was when it was waited for: it has grown since, or is in memory no longer.
    if (held === null) await this.forReader(shard, new Map([[taskId, acknowledged]]), 'BY_SEARCH');
    if (held?.hosts != null && held.hosts.length > REFRESH_FROM) {
      this.show(shard, this.#parts.positions.standing(shard).folded).catch(() => undefined);
    }
    return held;
  }

  async #wait(shard: string, seq: number, from: number): Promise<boolean> {
    const pointless =
      seq - from > WORTH_WAITING * this.#parts.lagMax || this.#stuck.get(shard) === from;
    if (pointless || this.#readers >= READERS_MAX) return false;
    this.#readers++;
    try {
      const reached = await this.#parts.positions.reached(shard, seq, this.#parts.readWaitMs);
      if (reached) this.#stuck.delete(shard);
      else this.#stuck.set(shard, this.#parts.positions.standing(shard).folded);
      return reached;
    } finally {
      this.#readers--;
    }
  }

  /** What is folded is seen by searches after a refresh: not needed where one was since. */
  async show(shard: string, seq: number): Promise<void> {
    const place = parseShard(shard);
    if (place === null || this.#shownTo(shard) >= seq) return;
    const { refresher, names, positions, keeper } = this.#parts;
    const history = this.#historyOf(shard);
    const seen = Math.max(seq, positions.standing(shard).folded);
    const refreshed = keeper.refreshing(shard);
    await refresher.refresh(names.views(place.day));
    refreshed();
    if (this.#historyOf(shard) !== history || this.#shownTo(shard) >= seen) return;
    this.#shown.set(shard, { seq: seen, history });
  }

  #shownTo(shard: string): number {
    const shown = this.#shown.get(shard);
    return shown?.history === this.#historyOf(shard) ? (shown?.seq ?? 0) : 0;
  }

  #historyOf(shard: string): number | null {
    return this.#parts.shards.known(shard)?.history ?? null;
  }

  /** Its views begin anew, or are gone: what was seen of them says nothing any more. */
  forget(shard: string): void {
    this.#shown.delete(shard);
    this.#stuck.delete(shard);
  }
}

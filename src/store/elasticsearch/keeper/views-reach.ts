/**
 * Waiting until views show what they should: a position, for those who need it, or what was
 * acknowledged, for readers, who would rather be told how far behind the views are than wait long.
 */
import { setTimeout } from 'node:timers/promises';
import { ShiplogError } from '../../../domain/errors.ts';
import type { Position } from '../../../domain/event/event.ts';
import { unavailable } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';
import { type Names, parseShard } from '../indices/names.ts';
import type { Shards } from '../indices/shards.ts';
import { LAG_MAX } from './lag.ts';
import type { ViewPositions } from './view-positions.ts';

export interface ViewsReachParts {
  names: Names;
  shards: Shards;
  refresher: Refresher;
  /** No reader waits longer. */
  readWaitMs: number;
  positions: ViewPositions;
  /** Folds some tasks of a shard ahead, for those who read by id; false: that cannot be done. */
  foldAhead: (shard: string, taskIds: ReadonlySet<string>) => Promise<boolean>;
}

const REACH_MAX_MS = 10_000;
/** A reader does not wait where more than some seconds of folding are before it. */
const WORTH_WAITING = 2 * LAG_MAX;
const READERS_MAX = 1_000;

export class ViewsReach {
  readonly #parts: ViewsReachParts;
  /** Up to where searches see the views of a shard, and of which history of it. */
  readonly #shown = new Map<string, { seq: number; history: number | null }>();
  /** Where the views of a shard stood when they were waited for in vain. */
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
   * Resolves when documents by id, or searches too, show what was acknowledged of these tasks of a
   * shard, or when that would take too long: to the events that they lack then, else to 0.
   */
  async forReader(
    shard: string,
    acknowledged: ReadonlyMap<string, number>,
    searches: boolean,
  ): Promise<number> {
    const { folded, lag, recoverTo } = this.#parts.positions.standing(shard);
    const seq = Math.max(recoverTo, ...acknowledged.values());
    const isThere =
      folded >= seq ||
      (!searches && (await this.#foldAhead(shard, acknowledged, folded))) ||
      (await this.#wait(shard, seq, folded));
    if (!isThere) return Math.max(1, seq - folded, this.#parts.positions.standing(shard).lag);
    if (searches) await this.show(shard, seq);
    return lag > LAG_MAX ? this.#parts.positions.standing(shard).lag : 0;
  }

  /** Instead of waiting for the whole shard; not for ever, as where its states cannot be read. */
  async #foldAhead(
    shard: string,
    acknowledged: ReadonlyMap<string, number>,
    folded: number,
  ): Promise<boolean> {
    const pending = [...acknowledged].flatMap(([taskId, seq]) => (seq > folded ? [taskId] : []));
    const tooLong = new AbortController();
    const { signal } = tooLong;
    try {
      return await Promise.race([
        this.#parts.foldAhead(shard, new Set(pending)),
        setTimeout(this.#parts.readWaitMs / 2, false, { signal }).catch(() => false),
      ]);
    } catch (error) {
      if (error instanceof ShiplogError && error.code === 'STORE_UNAVAILABLE') return false;
      throw error;
    } finally {
      tooLong.abort();
    }
  }

  async #wait(shard: string, seq: number, from: number): Promise<boolean> {
    const pointless = seq - from > WORTH_WAITING || this.#stuck.get(shard) === from;
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
    const history = this.#historyOf(shard);
    const shown = this.#shown.get(shard);
    if (shown !== undefined && shown.history === history && shown.seq >= seq) return;
    const place = parseShard(shard);
    if (place === null) return;
    const { refresher, names, positions } = this.#parts;
    const seen = Math.max(seq, positions.standing(shard).folded);
    await refresher.refresh(names.views(place.day));
    const since = this.#shown.get(shard);
    if (since?.history === history && since.seq >= seen) return;
    this.#shown.set(shard, { seq: seen, history });
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

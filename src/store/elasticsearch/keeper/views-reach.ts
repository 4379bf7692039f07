/**
 * Waiting until views show what they should: a position, for those who need it, or what was
 * acknowledged, for readers, who would rather be told how far behind the views are than wait long.
 */
import type { Position } from '../../../domain/event/event.ts';
import { unavailable } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';
import { type Names, parseShard } from '../indices/names.ts';
import { LAG_MAX } from './lag.ts';
import type { ViewPositions } from './view-positions.ts';

export interface ViewsReachParts {
  names: Names;
  refresher: Refresher;
  /** No reader waits longer. */
  readWaitMs: number;
  positions: ViewPositions;
}

const REACH_MAX_MS = 10_000;
/** A reader does not wait where more than some seconds of folding are before it. */
const WORTH_WAITING = 2 * LAG_MAX;
const READERS_MAX = 1_000;

export class ViewsReach {
  readonly #parts: ViewsReachParts;
  /** Up to where searches see the views of a shard. */
  readonly #shown = new Map<string, number>();
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
    await Promise.all([this.#show(shard, seq), refresher.refresh(names.hosts)]);
  }

  /**
   * Resolves when documents by id, or searches too, show a shard's views up to `seq`, or when that
   * would take too long: to the events that they lack then, else to 0.
   */
  async forReader(shard: string, acknowledged: number, searches: boolean): Promise<number> {
    const { folded, lag, recoverTo } = this.#parts.positions.standing(shard);
    const seq = Math.max(acknowledged, recoverTo);
    if (folded < seq && !(await this.#wait(shard, seq, folded))) {
      return Math.max(1, seq - folded, this.#parts.positions.standing(shard).lag);
    }
    if (searches) await this.#show(shard, seq);
    return lag > LAG_MAX ? this.#parts.positions.standing(shard).lag : 0;
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
  async #show(shard: string, seq: number): Promise<void> {
    if ((this.#shown.get(shard) ?? 0) >= seq) return;
    const place = parseShard(shard);
    if (place === null) return;
    const { refresher, names, positions } = this.#parts;
    const seen = Math.max(seq, positions.standing(shard).folded);
    await refresher.refresh(names.views(place.day));
    this.#shown.set(shard, Math.max(seen, this.#shown.get(shard) ?? 0));
  }

  /** Its views begin anew, or are gone: what was seen of them says nothing any more. */
  forget(shard: string): void {
    this.#shown.delete(shard);
    this.#stuck.delete(shard);
  }
}

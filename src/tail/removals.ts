/** What retention takes from a reader before it was told: said as a gap, never passed over. */
import type { EventFilter } from '../domain/search/filter.ts';
import type { LogSlice, ShardCursor, ShardHead } from '../store/store.ts';
import type { Reads } from './reads.ts';
import type { TailGap } from './tail.ts';

type Sources = Pick<Reads, 'checkCursors' | 'tasksById'>;

export class Removals {
  readonly #store: Sources;
  readonly #filter: EventFilter;
  /** Of each shard, up to where it is known that something was removed. */
  readonly #known: Map<string, number>;

  constructor(store: Sources, filter: EventFilter, heads: readonly ShardHead[]) {
    this.#store = store;
    this.#filter = filter;
    this.#known = new Map(heads.map(({ shard, droppedThrough }) => [shard, droppedThrough]));
  }

  /** Behind a position, by a read of what is there; null: nothing that it did not know of. */
  async behind(at: ShardCursor, { droppedThrough }: LogSlice): Promise<TailGap | null> {
    if (droppedThrough <= (this.#known.get(at.shard) ?? 0)) return null;
    const { taskId } = this.#filter;
    const [task] = taskId === undefined ? [null] : await this.#store.tasksById([taskId]);
    this.#known.set(at.shard, droppedThrough);
    // What was removed was of other tasks where this one is still there.
    return at.seq < droppedThrough && !task ? gapOf(at, droppedThrough) : null;
  }

  /** With whole shards that are followed no more; `away`: those that may come back. */
  async of(
    positions: readonly ShardCursor[],
  ): Promise<{ gap: TailGap | null; away: ShardCursor[] }> {
    const checks = await this.#store.checkCursors(positions);
    let gap: TailGap | null = null;
    const away: ShardCursor[] = [];
    for (const [i, position] of positions.entries()) {
      const check = checks[i];
      if (check?.state === 'live') away.push(position);
      if (check?.state === 'dropped' && position.seq < check.finalSeq) {
        gap = gapOf(position, check.finalSeq);
      }
    }
    return { gap, away };
  }
}

export function gapOf({ shard, seq }: ShardCursor, through: number): TailGap {
  return { reason: 'RETENTION', from: `${shard}:${seq}`, to: `${shard}:${through}` };
}

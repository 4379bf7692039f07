/** Makes sure that whoever was told an event is stored finds it in the views that they ask for next. */
import type { ViewsAsked } from '../../store.ts';
import type { Registered, Registry } from '../indices/task-registry.ts';
import type { Acknowledged } from '../log/acknowledged.ts';
import type { HeldFor, HeldRuns } from './held-runs.ts';
import type { ViewPositions } from './view-positions.ts';
import type { ViewsReach } from './views-reach.ts';

export interface OwnWritesParts {
  registry: Registry;
  acknowledged: Acknowledged;
  positions: ViewPositions;
  reach: ViewsReach;
}

export class OwnWrites {
  readonly #parts: OwnWritesParts;

  constructor(parts: OwnWritesParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when those who ask in this way see what was acknowledged of these tasks, or when that
   * would take too long: to the events that their views lack then, else to 0.
   */
  async show(taskIds: readonly string[], to: ViewsAsked): Promise<number> {
    const { registry, acknowledged, positions, reach } = this.#parts;
    const all = positions.hasFarBehind();
    const asked = all ? taskIds : taskIds.filter((id) => acknowledged.mayKnow(id));
    if (asked.length === 0) return 0;
    const entries = await registry.find([...new Set(asked)]);
    const wanted = new Map<string, Map<string, number>>();
    for (const [taskId, { shard }] of entries) {
      if (shard === null) continue;
      const tasks = wanted.get(shard) ?? new Map<string, number>();
      wanted.set(shard, tasks.set(taskId, acknowledged.of(taskId, shard)));
    }
    const behind = await Promise.all(
      [...wanted].map(([shard, tasks]) => reach.forReader(shard, tasks, to)),
    );
    return Math.max(0, ...behind);
  }

  /**
   * Runs of a task as they are in memory, where searches do not show all that was acknowledged of
   * it; null: ask them.
   */
  async held({ taskId, shard }: Registered, to: HeldFor): Promise<HeldRuns | null> {
    const { acknowledged, reach } = this.#parts;
    if (shard === null) return null;
    return reach.held(shard, taskId, acknowledged.of(taskId, shard), to);
  }
}

/** Up to where the log is settled, in all shards or in that of one task. */
import type { ShardHead } from '../../store.ts';
import type { Days } from '../indices/days.ts';
import { DAY_MS, dayAt, shardName, shardOf } from '../indices/names.ts';
import { headOf, type Shards } from '../indices/shards.ts';
import type { Registry } from '../indices/task-registry.ts';

/** So long before midnight a task that is not known yet may begin on either day. */
const EVE_MS = 15 * 60_000;

export interface HeadsParts {
  days: Days;
  shards: Shards;
  registry: Registry;
  now: () => number;
}

export class Heads {
  readonly #parts: HeadsParts;

  constructor(parts: HeadsParts) {
    this.#parts = parts;
  }

  /** The heads of the task's shards; null: of all shards. */
  async of(taskId: string | null): Promise<ShardHead[]> {
    const { shards, registry } = this.#parts;
    if (taskId === null) return (await shards.current()).map(headOf);
    const entry = (await registry.find([taskId])).get(taskId);
    if (entry === undefined) return this.ofUnknown(taskId);
    const info = await shards.named(entry.shard);
    return info === null ? [] : [headOf(info)];
  }

  /** The heads of the shards in which a task would begin now that nothing was reported of. */
  async ofUnknown(taskId: string): Promise<ShardHead[]> {
    const now = this.#parts.now();
    const days = new Set([dayAt(now)]);
    if (now % DAY_MS > DAY_MS - EVE_MS) days.add(dayAt(now + EVE_MS));
    const heads: ShardHead[] = [];
    for (const day of days) {
      if (!(await this.#parts.days.ensure(day))) continue;
      const shards = (await this.#parts.days.shardCount(day)) ?? 1;
      const info = await this.#parts.shards.named(shardName(day, shardOf(taskId, shards)));
      if (info !== null) heads.push(headOf(info));
    }
    return heads;
  }
}

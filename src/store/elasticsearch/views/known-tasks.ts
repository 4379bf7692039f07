/** Tasks by their ids: also those that are in the log and not folded yet. */
import type { TaskStats, TaskView } from '../../../domain/fold/views.ts';
import type { Registered, Registry } from '../indices/task-registry.ts';
import type { OwnWrites } from '../keeper/own-writes.ts';
import type { EventPages } from '../log/event-pages.ts';
import { readFreshTasks } from '../log/unfolded-tasks.ts';
import { statsOf } from './derived-runs.ts';
import type { Statistics } from './statistics.ts';
import type { ViewReader } from './view-reader.ts';

export interface KnownTasksParts {
  registry: Registry;
  pages: EventPages;
  views: ViewReader;
  statistics: Statistics;
  own: Pick<OwnWrites, 'held'>;
  now: () => number;
  staleAfterMs: number;
}

export class KnownTasks {
  readonly #parts: KnownTasksParts;

  constructor(parts: KnownTasksParts) {
    this.#parts = parts;
  }

  /** In the order of the question; null: nothing was ever reported of it. */
  async byId(ids: readonly string[]): Promise<(TaskView | null)[]> {
    const { registry, pages, views } = this.#parts;
    const folded = await views.tasksById(ids);
    const missing = ids.filter((_, i) => folded[i] === null);
    if (missing.length === 0) return folded;
    const asked = [...(await registry.find(missing)).keys()];
    const fresh = await readFreshTasks(pages, asked);
    const found = new Map(asked.map((id, i) => [id, fresh[i] ?? null]));
    return folded.map((view, i) => view ?? found.get(ids[i] as string) ?? null);
  }

  async stats(ids: readonly string[]): Promise<TaskStats[]> {
    const { registry, views, statistics } = this.#parts;
    const folded = await views.tasksById(ids);
    const entries = await registry.find(ids);
    const counted = await Promise.all(
      folded.map((view) => {
        const entry = view === null ? undefined : entries.get(view.id);
        return entry === undefined ? null : this.#count(entry);
      }),
    );
    const searched = await statistics.tasks(
      folded.map((view, i) => {
        const entry = view === null ? undefined : entries.get(view.id);
        if (view === null || entry?.shard == null || counted[i] !== null) return null;
        return { view, day: entry.day, shard: entry.shard };
      }),
    );
    return searched.map((stats, i) => counted[i] ?? stats);
  }

  /** null: it cannot be counted in memory, so it is searched for. */
  async #count(entry: Registered): Promise<TaskStats | null> {
    const { own, now, staleAfterMs } = this.#parts;
    const whole = await own.held(entry, 'BY_TASK');
    return whole === null ? null : statsOf(whole, now(), staleAfterMs);
  }
}

/** Tasks by their ids: also those that are in the log and not folded yet. */
import type { TaskView } from '../../../domain/fold/views.ts';
import type { Registry } from '../indices/task-registry.ts';
import type { EventPages } from '../log/event-pages.ts';
import { readFreshTasks } from '../log/unfolded-tasks.ts';
import type { Statistics } from './statistics.ts';
import type { ViewReader } from './view-reader.ts';

export interface KnownTasksParts {
  registry: Registry;
  pages: EventPages;
  views: ViewReader;
  statistics: Statistics;
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

  async stats(ids: readonly string[]) {
    const { registry, views, statistics } = this.#parts;
    const folded = await views.tasksById(ids);
    const entries = await registry.find(ids);
    return statistics.tasks(
      folded.map((view) => {
        const entry = view === null ? undefined : entries.get(view.id);
        if (view === null || entry?.shard == null) return null;
        return { view, day: entry.day, shard: entry.shard };
      }),
    );
  }
}

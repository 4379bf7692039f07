/**
 * The store as an operation reads it: whatever names tasks is asked when the views show what this
 * server acknowledged of them, so that who was told that an event is stored also sees it. Where
 * that would take too long, the answer is of the views as they are, and says so.
 */
import type { StepFilter } from '../domain/search/filter.ts';
import type { RunKey, RunQuery, StepQuery, Store, ViewsAsked } from '../store/store.ts';

type Read<K extends keyof Store> = Store[K];

export class FreshReads {
  readonly #store: Store;
  #behind = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Events that the views lacked of which something was read. */
  get viewsBehind(): number {
    return this.#behind;
  }

  readonly tasks: Read<'tasks'> = async (query) => {
    await this.#shown(query.filter.ids ?? [], 'BY_SEARCH');
    return this.#store.tasks(query);
  };
  readonly tasksById: Read<'tasksById'> = async (ids) => {
    await this.#shown(ids, 'BY_ID');
    return this.#store.tasksById(ids);
  };
  readonly taskStats: Read<'taskStats'> = async (ids) => {
    await this.#shown(ids, 'BY_TASK');
    return this.#store.taskStats(ids);
  };
  readonly matrices: Read<'matrices'> = async (ids) => {
    await this.#shown(ids, 'BY_TASK');
    return this.#store.matrices(ids);
  };
  readonly runs: Read<'runs'> = async (queries) => {
    await this.#shown(tasksOf(queries), 'BY_PAGE');
    return this.#store.runs(queries);
  };
  readonly steps: Read<'steps'> = async (queries) => {
    await this.#shown(tasksOf(queries), 'BY_PAGE');
    return this.#store.steps(queries);
  };
  readonly failureGroups: Read<'failureGroups'> = async (queries) => {
    await this.#shown(tasksOf(queries), 'BY_TASK');
    return this.#store.failureGroups(queries);
  };
  readonly stepStats: Read<'stepStats'> = async (filter, groupBy) => {
    await this.#shown(tasksOf([{ filter }]), 'BY_SEARCH');
    return this.#store.stepStats(filter, groupBy);
  };
  readonly runsByKey: Read<'runsByKey'> = async (keys) => {
    await this.#shown(ofKeys(keys), 'BY_ID');
    return this.#store.runsByKey(keys);
  };
  readonly stepsByKey: Read<'stepsByKey'> = async (keys) => {
    await this.#shown(ofKeys(keys), 'BY_ID');
    return this.#store.stepsByKey(keys);
  };

  async #shown(taskIds: readonly string[], to: ViewsAsked): Promise<void> {
    if (taskIds.length === 0) return;
    const behind = await this.#store.viewsShow(taskIds, to);
    this.#behind = Math.max(this.#behind, behind);
  }
}

type TaskFilters = readonly (RunQuery | StepQuery | { filter: StepFilter })[];

function tasksOf(queries: TaskFilters): string[] {
  return queries.flatMap(({ filter: { taskId } }) => (taskId === undefined ? [] : [taskId]));
}

function ofKeys(keys: readonly RunKey[]): string[] {
  return keys.map(({ taskId }) => taskId);
}

/** Pages and look-ups of tasks, runs, steps and hosts. Runs and steps are derived from run states. */

import { z } from 'zod';
import type { Page } from '../../../domain/cursor/page.ts';
import {
  deriveRun,
  emptyRun,
  emptyTask,
  type RunState,
  type TaskState,
} from '../../../domain/fold/fold.ts';
import type { HostView, RunView, StepView, TaskView } from '../../../domain/fold/views.ts';
import type { HostQuery, RunKey, RunQuery, StepKey, StepQuery, TaskQuery } from '../../store.ts';
import type { DocumentId } from '../cluster/documents.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { hostId, runId, taskHostsId, taskId } from '../indices/ids.ts';
import type { Names } from '../indices/names.ts';
import type { Registered, Registry } from '../indices/task-registry.ts';
import type { Aside, SetAside } from '../keeper/set-aside.ts';
import {
  hostViewOf,
  runStateOf,
  shownTaskOf,
  storedTaskOf,
  understood,
} from '../keeper/stored-states.ts';
import { names as namesQuery } from '../query/dsl.ts';
import {
  HOST_SORT,
  hostQuery,
  runList,
  stepList,
  TASK_SORTS,
  taskQuery,
} from '../query/view-query.ts';
import { type Overlay, PageReader } from './page-reader.ts';

interface TaskSource {
  shiplog: { shown: string; task: { id: string } };
}
interface StateSource {
  shiplog: { state: string; task: { over?: boolean; id: string } };
}
interface RunSource {
  host: { name: string };
  shiplog: { state: string; task: { id: string } };
}
interface HostSource {
  host: { name: string };
  shiplog: { state: string };
}
interface StepSource {
  host: { name: string };
  event: { action: string };
  shiplog: { task: { id: string } };
}

const TASKS = z.object({ tasks: z.object({ buckets: z.array(z.object({ key: z.string() })) }) });

interface Place extends DocumentId {
  /** The task's shard in the log; null: its day is gone, so everything is stored. */
  shard: string | null;
}

/** A task as it is needed to derive its runs. */
export interface TaskPart {
  state: TaskState;
  over: boolean;
}

type Tasks = ReadonlyMap<string, TaskPart>;

/** By task: its runs, or their steps, that are taken from memory. */
export type Overlays<T> = ReadonlyMap<string | undefined, Overlay<T>>;

/** What is read of each document. */
const TASK_PARTS = ['shiplog.shown', 'shiplog.task.id'];
const RUN_PARTS = ['shiplog.state', 'shiplog.task.id', 'host.name'];
const HOST_PARTS = ['shiplog.state', 'host.name'];

/** Tasks that ran on one host, that a filter may name. */
const MAX_TASKS_OF_HOST = 10_000;

export interface ViewReaderParts {
  searcher: Searcher;
  names: Names;
  registry: Registry;
  now: () => number;
  staleAfterMs: number;
  /** What is stored and cannot be understood is named there, and what is beside it is shown. */
  aside: SetAside;
  /** A document of a shard's views that is not stored as it is now; null: it is to be removed. */
  unstored: (shard: string, id: string) => string | null | undefined;
}

export class ViewReader {
  readonly #parts: ViewReaderParts;
  readonly #pages: PageReader;

  constructor(parts: ViewReaderParts) {
    this.#parts = parts;
    this.#pages = new PageReader(parts.searcher);
  }

  get staleBefore(): number {
    return this.#parts.now() - this.#parts.staleAfterMs;
  }

  async tasks({ filter, order, page }: TaskQuery): Promise<Page<TaskView>> {
    const { host } = filter;
    const withHost = host === undefined ? null : await this.#tasksOn(host);
    const list = { query: taskQuery(filter, withHost), sort: TASK_SORTS[order] };
    const { allViews } = this.#parts.names;
    const [found] = await this.#pages.read<TaskSource, TaskView>(
      allViews,
      [{ list, page }],
      TASK_PARTS,
      async (hits) => hits.map(({ _source }) => this.#taskOf(_source as TaskSource)),
    );
    return found as Page<TaskView>;
  }

  /** The newest tasks that have a run on a host. */
  async #tasksOn(host: string): Promise<string[]> {
    const search = {
      index: this.#parts.names.allViews,
      body: {
        size: 0,
        track_total_hits: false,
        query: {
          bool: {
            filter: [{ term: { 'shiplog.view': 'run' } }, ...namesQuery('host.name', [host])],
          },
        },
        aggs: {
          tasks: {
            terms: { field: 'shiplog.task.id', size: MAX_TASKS_OF_HOST, order: { last: 'desc' } },
            aggs: { last: { max: { field: 'event.ingested' } } },
          },
        },
      },
    };
    const [answer] = await this.#parts.searcher.aggregate([search], TASKS);
    return answer?.aggregations?.tasks.buckets.map(({ key }) => key) ?? [];
  }

  async tasksById(ids: readonly string[]): Promise<(TaskView | null)[]> {
    const docs = await this.#taskDocuments<TaskSource>(ids, taskId, TASK_PARTS);
    return docs.map((doc) => (doc === null ? null : this.#taskOf(doc)));
  }

  async runs(
    queries: readonly RunQuery[],
    overlays: Overlays<RunView> = new Map(),
  ): Promise<Page<RunView>[]> {
    const lists = queries.map((query) => ({
      list: runList(query, this.staleBefore),
      page: query.page,
      overlay: overlays.get(query.filter.taskId),
    }));
    const index = await this.#indexOf(queries.map(({ filter }) => filter.taskId));
    return this.#pages.read<RunSource, RunView>(index, lists, RUN_PARTS, async (hits) => {
      const runs = hits.map(({ _source }) => _source as RunSource);
      const tasks = await this.taskParts(runs.map(({ shiplog }) => shiplog.task.id));
      return runs.map((run) => this.#runOf(run, tasks));
    });
  }

  async runsByKey(keys: readonly RunKey[]): Promise<(RunView | null)[]> {
    const tasks = await this.taskParts(keys.map((key) => key.taskId));
    const days = await this.#parts.registry.find([...new Set(keys.map((key) => key.taskId))]);
    const docs = await this.#documents<RunSource>(
      keys.map((key) => {
        const entry = days.get(key.taskId);
        return entry === undefined ? null : this.#placeOf(entry, runId(key.taskId, key.host));
      }),
      RUN_PARTS,
    );
    return docs.map((doc) => (doc === null ? null : this.#runOf(doc, tasks)));
  }

  async steps(
    queries: readonly StepQuery[],
    overlays: Overlays<StepView> = new Map(),
  ): Promise<Page<StepView>[]> {
    const lists = queries.map((query) => ({
      list: stepList(query),
      page: query.page,
      overlay: overlays.get(query.filter.taskId),
    }));
    const index = await this.#indexOf(queries.map(({ filter }) => filter.taskId));
    const source = ['shiplog.task.id', 'host.name', 'event.action'];
    // A run may have changed since it was found: a step that its plan no longer has is left out.
    return this.#pages.read<StepSource, StepView>(index, lists, source, (hits) =>
      this.stepsByKey(hits.map(({ _source }) => keyOf(_source as StepSource))),
    );
  }

  async stepsByKey(keys: readonly StepKey[]): Promise<(StepView | null)[]> {
    const asked = new Map<string, RunKey>();
    for (const { taskId, host } of keys) asked.set(runId(taskId, host), { taskId, host });
    const runs = await this.runsByKey([...asked.values()]);
    const views = new Map([...asked.keys()].map((id, i) => [id, runs[i] ?? null]));
    return keys.map(({ taskId, host, step }) => {
      const run = views.get(runId(taskId, host));
      return run?.steps.find(({ name }) => name === step) ?? null;
    });
  }

  async hosts({ filter, page }: HostQuery): Promise<Page<HostView>> {
    const list = { query: hostQuery(filter), sort: HOST_SORT };
    const { hosts } = this.#parts.names;
    const [found] = await this.#pages.read<HostSource, HostView>(
      hosts,
      [{ list, page }],
      HOST_PARTS,
      async (hits) => hits.map(({ _source }) => this.#hostOf(_source as HostSource)),
    );
    return found as Page<HostView>;
  }

  async hostsByName(names: readonly string[]): Promise<(HostView | null)[]> {
    const { hosts: index } = this.#parts.names;
    const docs = await this.#documents<HostSource>(
      names.map((name) => ({ index, id: hostId(name), shard: null })),
      HOST_PARTS,
    );
    return docs.map((doc) => (doc === null ? null : this.#hostOf(doc)));
  }

  /**
   * The tasks' states without their lists of hosts; those that are not folded yet, or cannot be
   * understood, are absent.
   */
  async taskParts(ids: readonly string[]): Promise<Map<string, TaskPart>> {
    const unique = [...new Set(ids)];
    const source = ['shiplog.state', 'shiplog.task.over'];
    const docs = await this.#taskDocuments<StateSource>(unique, taskId, source);
    const parts = new Map<string, TaskPart>();
    for (const [i, id] of unique.entries()) {
      const doc = docs[i];
      if (doc == null) continue;
      const { state, task } = doc.shiplog;
      const stored = this.#understood({ taskId: id, host: null }, () => storedTaskOf(state));
      if (stored !== null) parts.set(id, { state: stored.state, over: task.over === true });
    }
    return parts;
  }

  /** The hosts that a task's plan names. */
  async taskHosts(id: string): Promise<TaskState['hosts']> {
    const [doc] = await this.#taskDocuments<StateSource>([id], taskHostsId, ['shiplog.state']);
    if (doc == null) return null;
    const read = () => JSON.parse(doc.shiplog.state) as TaskState['hosts'];
    return this.#understood({ taskId: id, host: null }, read);
  }

  #taskOf({ shiplog: { shown, task } }: TaskSource): TaskView | null {
    return this.#understood({ taskId: task.id, host: null }, () => shownTaskOf(shown));
  }

  /** One that is set aside is shown as if nothing was reported of it. */
  #runOf({ host, shiplog: { state, task } }: RunSource, tasks: Tasks): RunView {
    const what = { taskId: task.id, host: host.name };
    const view = this.#understood(what, () => viewOf(runStateOf(state), tasks));
    return view ?? viewOf(emptyRun(what.taskId, what.host), tasks);
  }

  #hostOf({ host, shiplog: { state } }: HostSource): HostView | null {
    return this.#understood({ taskId: null, host: host.name }, () => hostViewOf(state));
  }

  #understood<T>(what: Aside, read: () => T): T | null {
    return understood(this.#parts.aside, what, read);
  }

  async #taskDocuments<S>(
    ids: readonly string[],
    idOf: (taskId: string) => string,
    source: readonly string[],
  ): Promise<(S | null)[]> {
    const days = await this.#parts.registry.find([...new Set(ids)]);
    return this.#documents<S>(
      ids.map((id) => {
        const entry = days.get(id);
        return entry === undefined ? null : this.#placeOf(entry, idOf(id));
      }),
      source,
    );
  }

  #placeOf({ taskId, day, shard }: Registered, id: string): Place {
    return { index: this.#parts.names.views(day), id, routing: taskId, shard };
  }

  /** As they are now, stored or not. */
  async #documents<S>(
    places: readonly (Place | null)[],
    source: readonly string[],
  ): Promise<(S | null)[]> {
    const found = places.map((place) => {
      const unstored =
        place?.shard == null ? undefined : this.#parts.unstored(place.shard, place.id);
      return typeof unstored === 'string' ? (JSON.parse(unstored) as S) : unstored;
    });
    const asked = places.filter((place, i) => place !== null && found[i] === undefined);
    const docs = await this.#parts.searcher.documents<S>(asked as Place[], source);
    let next = 0;
    return places.map((place, i) => {
      if (place === null) return null;
      const unstored = found[i];
      return unstored === undefined ? (docs[next++] ?? null) : unstored;
    });
  }

  /** The views of one day where all ask for tasks of it, else of all days. */
  async #indexOf(taskIds: readonly (string | undefined)[]): Promise<string> {
    const known = taskIds.filter((id) => id !== undefined);
    if (known.length < taskIds.length || known.length === 0) return this.#parts.names.allViews;
    const found = await this.#parts.registry.find([...new Set(known)]);
    const days = new Set([...found.values()].map(({ day }) => this.#parts.names.views(day)));
    return days.size === 0 ? this.#parts.names.allViews : [...days].join(',');
  }
}

function keyOf({ shiplog, host, event }: StepSource): StepKey {
  return { taskId: shiplog.task.id, host: host.name, step: event.action };
}

function viewOf(state: RunState, tasks: Tasks): RunView {
  const task = tasks.get(state.taskId);
  // Runs are written before their task, which is there a moment later.
  return task === undefined
    ? deriveRun(state, emptyTask(state.taskId), false)
    : deriveRun(state, task.state, task.over);
}

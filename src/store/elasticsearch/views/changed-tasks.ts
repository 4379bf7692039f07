/** Tasks by when they last changed: those behind a cursor, and those that fell silent. */
import type { TaskView } from '../../../domain/fold/views.ts';
import type { ShardCursor } from '../../store.ts';
import type { Refresher } from '../cluster/refresher.ts';
import type { Searcher } from '../cluster/searcher.ts';
import type { Names } from '../indices/names.ts';
import type { Shards } from '../indices/shards.ts';
import type { SetAside } from '../keeper/set-aside.ts';
import { shownTaskOf, understood } from '../keeper/stored-states.ts';
import type { ViewPositions } from '../keeper/view-positions.ts';
import { all, any, type Query } from '../query/dsl.ts';

export interface ChangedTasksParts {
  searcher: Searcher;
  names: Names;
  shards: Shards;
  positions: ViewPositions;
  refresher: Refresher;
  aside: SetAside;
}

interface TaskSource {
  shiplog: { shown: string; task: { id: string } };
}

/** A task's document, and where it last changed. */
interface Changed {
  task: TaskView | null;
  shard: string;
  seq: number;
}

const TASK: Query = { term: { 'shiplog.view': 'task' } };

export class ChangedTasks {
  readonly #parts: ChangedTasksParts;

  constructor(parts: ChangedTasksParts) {
    this.#parts = parts;
  }

  /** Shard by shard, in each in the order of change. */
  async since(after: readonly ShardCursor[], limit: number) {
    const { shards, positions } = this.#parts;
    const infos = await shards.current();
    const folded = await positions.of(infos);
    const from = new Map(after.map((cursor) => [cursor.shard, cursor]));
    const startOf = ({ shard, history }: { shard: string; history: number }) => {
      const cursor = from.get(shard);
      return cursor?.history === history ? cursor.seq : 0;
    };
    const moved = infos.filter((info) => (folded.get(info.shard) ?? 0) > startOf(info));
    moved.sort((a, b) => (a.shard < b.shard ? -1 : 1));
    const tasks = await this.#tasks(
      moved.map((info) => [info.shard, startOf(info)]),
      limit + 1,
    );
    const more = tasks.length > limit;
    const shown = tasks.slice(0, limit);
    const last = more ? shown.at(-1) : undefined;
    const at = infos.map(({ shard, history }): ShardCursor => {
      const start = startOf({ shard, history });
      let seq = Math.max(start, folded.get(shard) ?? 0);
      // A batch that is being written shows its later tasks before some of its earlier ones.
      if (last !== undefined && shard === last.shard) seq = Math.min(seq, last.seq);
      else if (last !== undefined && shard > last.shard) seq = start;
      return { shard, history, seq };
    });
    return { tasks: shown.flatMap(({ task }) => task ?? []), more, at };
  }

  async #tasks(behind: readonly [shard: string, seq: number][], limit: number): Promise<Changed[]> {
    if (behind.length === 0) return [];
    const { searcher, names, refresher } = this.#parts;
    const days = [...new Set(behind.map(([shard]) => shard.replace(/\/\d+$/, '')))];
    await Promise.all(days.map((day) => refresher.refresh(names.views(day))));
    const changed = behind.map(([shard, seq]) =>
      all([
        { term: { 'shiplog.position.shard': shard } },
        { range: { 'shiplog.position.seq': { gt: seq } } },
      ]),
    );
    const { hits } = await searcher.one<TaskSource>({
      index: days.map((day) => names.views(day)).join(','),
      body: {
        size: limit,
        track_total_hits: false,
        query: all([TASK, any(changed)]),
        sort: [{ 'shiplog.position.shard': 'asc' }, { 'shiplog.position.seq': 'asc' }],
        _source: ['shiplog.shown', 'shiplog.task.id'],
      },
    });
    return hits.map(({ _source, sort: [shard, seq] }) => ({
      task: this.#shown(_source as TaskSource),
      shard: String(shard),
      seq: Number(seq),
    }));
  }

  #shown({ shiplog: { shown, task } }: TaskSource): TaskView | null {
    const what = { taskId: task.id, host: null };
    return understood(this.#parts.aside, what, () => shownTaskOf(shown));
  }

  /** Tasks not over whose last event was received before this moment, oldest first. */
  async idle(before: number, limit: number): Promise<{ taskId: string; lastEventAt: number }[]> {
    const { hits } = await this.#parts.searcher.one<TaskSource>({
      index: this.#parts.names.allViews,
      body: {
        size: limit,
        track_total_hits: false,
        query: all([
          TASK,
          { term: { 'shiplog.task.over': false } },
          { range: { 'event.ingested': { lt: before } } },
        ]),
        sort: [{ 'event.ingested': 'asc' }],
        _source: ['shiplog.shown', 'shiplog.task.id'],
      },
    });
    return hits.flatMap(({ _source }) => {
      const task = this.#shown(_source as TaskSource);
      return task === null ? [] : { taskId: task.id, lastEventAt: task.lastEventAt };
    });
  }
}

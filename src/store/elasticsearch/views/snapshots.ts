/** Boards and matrices of tasks, each with where in the log it is from: a tail goes on from there. */
import type { TaskMatrix } from '../../../domain/fold/views.ts';
import type { BoardSnapshot, MatrixAnswer, ShardCursor } from '../../store.ts';
import type { ShardInfo, Shards } from '../indices/shards.ts';
import type { Registered, Registry } from '../indices/task-registry.ts';
import type { OwnWrites } from '../keeper/own-writes.ts';
import type { ViewPositions } from '../keeper/view-positions.ts';
import type { ViewsReach } from '../keeper/views-reach.ts';
import type { BoardReader } from './board-reader.ts';
import type { ViewReader } from './view-reader.ts';

export interface SnapshotsParts {
  shards: Shards;
  registry: Registry;
  positions: ViewPositions;
  reach: Pick<ViewsReach, 'show'>;
  own: Pick<OwnWrites, 'held'>;
  views: ViewReader;
  boards: BoardReader;
}

interface Place {
  entry: Registered;
  at: ShardCursor[];
}

export class Snapshots {
  readonly #parts: SnapshotsParts;

  constructor(parts: SnapshotsParts) {
    this.#parts = parts;
  }

  /** In the order of the question; null: there is no such task. */
  async matrices(taskIds: readonly string[]): Promise<MatrixAnswer[]> {
    const { views, boards, own } = this.#parts;
    const found = await this.#places(taskIds);
    const tasks = await views.tasksById(taskIds);
    const asked = await Promise.all(
      taskIds.flatMap((id, i) => {
        const [place, task] = [found.get(id), tasks[i]];
        if (place === undefined || task == null) return [];
        return [own.held(place.entry, 'BY_TASK').then((whole) => ({ i, ...place, task, whole }))];
      }),
    );
    await this.#show(asked.flatMap(({ at, whole }) => (whole === null ? at : [])));
    const matrices = await boards.matrices(asked);
    const answers: MatrixAnswer[] = taskIds.map(() => null);
    for (const [n, { i, at }] of asked.entries()) {
      answers[i] = { matrix: matrices[n] as TaskMatrix, at };
    }
    return answers;
  }

  async board(taskId: string): Promise<BoardSnapshot | null> {
    const place = (await this.#places([taskId])).get(taskId);
    if (place === undefined) return null;
    await this.#show(place.at);
    return this.#parts.boards.board(place.entry, place.at);
  }

  /** Searches from now on see at least that. */
  async #show(at: readonly ShardCursor[]): Promise<void> {
    const { reach } = this.#parts;
    const folded = new Map(at.map(({ shard, seq }) => [shard, seq]));
    await Promise.all([...folded].map(([shard, seq]) => reach.show(shard, seq)));
  }

  /** How far the views of the tasks' shards are. */
  async #places(taskIds: readonly string[]): Promise<Map<string, Place>> {
    const { shards, registry, positions } = this.#parts;
    const entries = await registry.find([...new Set(taskIds)]);
    const shardNames = new Set([...entries.values()].map(({ shard }) => shard));
    const infos = new Map<string, ShardInfo>();
    for (const info of await Promise.all([...shardNames].map((name) => shards.named(name)))) {
      if (info !== null) infos.set(info.shard, info);
    }
    const folded = await positions.of([...infos.values()]);
    const found = new Map<string, Place>();
    for (const [taskId, entry] of entries) {
      const info = entry.shard === null ? undefined : infos.get(entry.shard);
      if (info === undefined) continue;
      const { shard, history } = info;
      found.set(taskId, { entry, at: [{ shard, history, seq: folded.get(shard) ?? 0 }] });
    }
    return found;
  }
}

/**
 * A client that follows something of one release: it begins, loses its connection, comes back with
 * its cursor, and keeps what it was told. `wrong` says how that differs from a fold of the log.
 */
import { isDeepStrictEqual } from 'node:util';
import { decodeCursor, encodeCursor, hashFilter } from '../../src/domain/cursor/cursor.ts';
import { ShiplogError } from '../../src/domain/errors.ts';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { cellLetter, type RunView, type TaskView } from '../../src/domain/fold/views.ts';
import { type EventFilter, matchesEvent } from '../../src/domain/search/filter.ts';
import type { ShardCursor, Store } from '../../src/store/store.ts';
import type { RunsBatch, Tail, TailBatch, TasksBatch } from '../../src/tail/tail.ts';
import { aPage } from '../store/harness.ts';
import type { FoldedLog } from '../store/oracle.ts';

export interface Release {
  tail: Tail;
  store: Store;
  taskIds: readonly string[];
  /** Where the log was before it. */
  before: readonly ShardCursor[];
}

/** What the log of the release is in the end. */
export interface Truth extends FoldedLog {
  events: readonly StoredEvent[];
}

export abstract class Follower {
  abstract readonly kind: string;
  protected readonly release: Release;
  protected cursor: string | null = null;
  connections = 0;
  #stream: AsyncIterableIterator<unknown> | null = null;
  #reading: Promise<void> = Promise.resolve();
  #failure: unknown = null;

  constructor(release: Release) {
    this.release = release;
  }

  /** Begins, or goes on where it was. */
  connect(): void {
    if (this.#stream !== null) return;
    this.connections++;
    this.#stream = this.begin();
    this.#reading = this.#read(this.#stream);
  }

  async leave(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    await stream?.return?.();
    await this.#reading;
  }

  /** In words; null: it has the truth. */
  wrong(truth: Truth): string | null {
    if (this.#failure !== null) return `${this.kind} ended: ${String(this.#failure)}`;
    const difference = this.difference(truth);
    return difference === null ? null : `${this.kind} (${this.connections}): ${difference}`;
  }

  async #read(stream: AsyncIterableIterator<unknown>): Promise<void> {
    try {
      for await (const told of stream) {
        // What comes after it left is not delivered.
        if (this.#stream !== stream) return;
        await this.take(told);
      }
    } catch (error) {
      // A client that is told to come back later does.
      const isPassing = error instanceof ShiplogError && error.code === 'STORE_UNAVAILABLE';
      if (!isPassing) this.#failure ??= error;
      else if (this.#stream === stream) {
        this.#stream = null;
        this.connect();
      }
    }
  }

  protected abstract begin(): AsyncIterableIterator<unknown>;
  protected abstract take(told: unknown): void | Promise<void>;
  protected abstract difference(truth: Truth): string | null;
}

export class EventsFollower extends Follower {
  readonly kind = 'tail';
  readonly #filter: EventFilter;
  readonly #ids: string[] = [];
  #from: readonly ShardCursor[] | null;

  constructor(release: Release, filter: EventFilter, fromBefore: boolean) {
    super(release);
    this.#filter = filter;
    this.#from = fromBefore ? release.before : null;
    if (fromBefore) this.cursor = release.tail.tailCursor(filter, [...release.before]);
  }

  protected begin() {
    return this.release.tail.events({ filter: this.#filter, after: this.cursor, last: null });
  }

  protected take({ events, cursor }: TailBatch): void {
    if (this.#from === null) {
      const at = decodeCursor(cursor, { kind: 'tail', filterHash: hashFilter(this.#filter) });
      const first = new Map(events.toReversed().map(({ position }) => [position.shard, position]));
      this.#from = at.map((one) => ({
        ...one,
        seq: (first.get(one.shard)?.seq ?? one.seq + 1) - 1,
      }));
    }
    this.cursor = cursor;
    for (const { id } of events) this.#ids.push(id);
  }

  protected difference({ events }: Truth): string | null {
    const from = this.#from;
    if (from === null) return 'nothing was told';
    const expected = events.filter(
      (event) =>
        matchesEvent(this.#filter, event) &&
        event.position.seq > (from.find(({ shard }) => shard === event.position.shard)?.seq ?? 0),
    );
    return isDeepStrictEqual(
      expected.map(({ id }) => id),
      this.#ids,
    )
      ? null
      : `${this.#ids.length} events instead of ${expected.length}`;
  }
}

export class TaskFollower extends Follower {
  readonly kind = 'taskChanged';
  readonly #id: string;
  #last: TaskView | null = null;

  constructor(release: Release, id: string) {
    super(release);
    this.#id = id;
  }

  protected begin() {
    this.#last = null;
    return this.release.tail.taskChanged(this.#id);
  }

  protected take(task: TaskView): void {
    this.#last = task;
  }

  protected difference({ tasks }: Truth): string | null {
    return differenceOf(this.#last, tasks.find(({ id }) => id === this.#id) ?? null);
  }
}

export class TasksFollower extends Follower {
  readonly kind = 'tasksChanged';
  readonly #known = new Map<string, TaskView>();
  /** A client that begins without a cursor asks for the list once changes of it are told. */
  #asks: boolean;

  constructor(release: Release, fromBefore: boolean) {
    super(release);
    this.#asks = !fromBefore;
    const { ids } = this.#filter;
    const filterHash = hashFilter({ ids });
    const shards = release.before;
    if (fromBefore) this.cursor = encodeCursor({ kind: 'tasks', filterHash, shards });
  }

  get #filter() {
    return { ids: [...this.release.taskIds] };
  }

  protected begin() {
    return this.release.tail.tasksChanged({ filter: this.#filter, after: this.cursor });
  }

  protected async take({ tasks, cursor, caughtUp }: TasksBatch): Promise<void> {
    this.cursor = cursor;
    for (const task of tasks) this.#known.set(task.id, task);
    if (!caughtUp || !this.#asks) return;
    this.#asks = false;
    for (;;) {
      try {
        const query = { filter: this.#filter, order: 'CREATED_DESC' as const, page: aPage() };
        for (const { node } of (await this.release.store.tasks(query)).rows) {
          // What was told before it caught up may be older than what is listed then.
          const told = this.#known.get(node.id)?.position.seq ?? 0;
          if (told <= node.position.seq) this.#known.set(node.id, node);
        }
        return;
      } catch (error) {
        if (!(error instanceof ShiplogError && error.code === 'STORE_UNAVAILABLE')) throw error;
      }
    }
  }

  protected difference({ tasks }: Truth): string | null {
    for (const task of tasks) {
      const difference = differenceOf(this.#known.get(task.id) ?? null, task);
      if (difference !== null) return difference;
    }
    return null;
  }
}

export class BoardFollower extends Follower {
  readonly kind = 'runsChanged';
  readonly #taskId: string;
  readonly #cells = new Map<string, string>();

  constructor(release: Release, taskId: string, fromBefore: boolean) {
    super(release);
    this.#taskId = taskId;
    if (fromBefore) this.cursor = release.tail.matrixCursor(taskId, [...release.before]);
  }

  protected begin() {
    return this.release.tail.runsChanged({ taskId: this.#taskId, after: this.cursor });
  }

  protected take({ snapshot, changed, cursor }: RunsBatch): void {
    this.cursor = cursor;
    if (snapshot !== null) {
      this.#cells.clear();
      const { hosts, steps, cells } = snapshot;
      for (const [row, host] of hosts.entries()) {
        for (const [column, step] of steps.entries()) {
          const letter = cells[row * steps.length + column] as string;
          if (letter !== '-') this.#cells.set(`${host} ${step}`, letter);
        }
      }
    }
    for (const run of changed)
      for (const [cell, letter] of cellsOf(run)) this.#cells.set(cell, letter);
  }

  protected difference({ runs }: Truth): string | null {
    const expected = new Map(
      runs.filter(({ taskId }) => taskId === this.#taskId).flatMap((run) => cellsOf(run)),
    );
    const wrong = [...expected].filter(([cell, letter]) => this.#cells.get(cell) !== letter);
    return wrong.length === 0 ? null : `${wrong.length} of ${expected.size} cells are wrong`;
  }
}

function cellsOf(run: RunView): [cell: string, letter: string][] {
  return run.steps.map(({ name, status }) => [`${run.host} ${name}`, cellLetter(status, false)]);
}

function differenceOf(told: TaskView | null, truth: TaskView | null): string | null {
  if (isDeepStrictEqual(told, truth)) return null;
  const place = (task: TaskView | null) => `${task?.status} at ${task?.position.seq}`;
  return `${truth?.id} is ${place(told)} instead of ${place(truth)}`;
}

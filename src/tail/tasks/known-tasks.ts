/**
 * The last known states of tasks, to tell whether an old state matched a filter.
 *
 * Readers list tasks at any moment: they may hold every state that there was, of however short a
 * time. So a known state is the one before a change only where no other status can have been
 * between; where it can, the one before counts as not seen.
 */
import { LRUCache } from 'lru-cache';
import type { StoredEvent } from '../../domain/event/event.ts';
import type { TaskView } from '../../domain/fold/views.ts';
import { type Heads, seqOf } from '../heads.ts';

const REMEMBERED = 10_000;

/** Events of one task in one shard. */
export class Happened {
  readonly #first: number;
  /** The first that is more than a line of a step. */
  #said: number | null;
  #last: number;

  constructor({ status, task, position }: StoredEvent) {
    this.#first = position.seq;
    this.#said = status === null && task === null ? null : position.seq;
    this.#last = position.seq;
  }

  get first(): number {
    return this.#first;
  }
  get last(): number {
    return this.#last;
  }

  add(event: StoredEvent): void {
    this.append(new Happened(event));
  }

  append(later: Happened): void {
    this.#said ??= later.#said;
    this.#last = later.#last;
  }

  /** No state was between this one and the last of these events, but for ones of the same status. */
  isDirectFrom({ task, since }: Known, shard: string): boolean {
    if (task.position.shard !== shard || since >= this.#first) return false;
    // Lines begin a task, and take one up again that had ended; a running one goes on running.
    const changes = task.status === 'RUNNING' ? this.#said : this.#first;
    return changes === null || (changes === this.#last && task.position.seq < changes);
  }
}

interface Known {
  task: TaskView;
  /** The position at which this status was read first. */
  since: number;
}

/** Kept from a moment on at which somebody sees every event. */
export class KnownTasks {
  readonly #from: Heads;
  readonly #tasks = new LRUCache<string, Known>({ max: REMEMBERED });

  constructor(from: Heads) {
    this.#from = from;
  }

  /** The state before what happened; null: it was not seen. `after` is the one before the next. */
  replace(after: TaskView, shard: string, happened: Happened): TaskView | null {
    // What came before may have passed unseen, and views may not hold it yet.
    if (happened.first <= seqOf(this.#from, shard)) return null;
    const known = this.#tasks.get(after.id);
    const { status, position } = after;
    const isSame = known?.task.status === status && known.task.position.shard === position.shard;
    this.#tasks.set(after.id, { task: after, since: isSame ? known.since : position.seq });
    return known !== undefined && happened.isDirectFrom(known, shard) ? known.task : null;
  }
}

/**
 * A real store that is as difficult as its port allows: reads of the log stop short, shards are
 * left out of the heads for a while, views lag behind the log, calls fail with STORE_UNAVAILABLE.
 *
 * `difficulty` is turned by hand, or left to a source of random numbers. Everything that is
 * answered is true: what is late is answered as it was, folded from the log itself.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ShiplogError } from '../../src/domain/errors.ts';
import type { LogEvent, Position, StoredEvent } from '../../src/domain/event/event.ts';
import {
  emptyRun,
  emptyTask,
  foldRun,
  foldTask,
  type RunState,
  type TaskState,
} from '../../src/domain/fold/fold.ts';
import type { TaskView } from '../../src/domain/fold/views.ts';
import type { ShardCursor, Store } from '../../src/store/store.ts';
import { foldLog } from '../store/oracle.ts';

/** How probable each difficulty is, for each call by itself: 0 to 1. */
export interface Chances {
  /** A read of the log looks at a part of what was asked for, or at nothing. */
  shortRead: number;
  /** A shard is not among the heads. */
  headAway: number;
  /** A read fails with STORE_UNAVAILABLE. */
  unavailable: number;
}

const NEVER: Chances = { shortRead: 0, headAway: 0, unavailable: 0 };
const RETRY_AFTER_MS = 5;
const READ_LIMIT = 1_000;

/** What subscriptions and answers read, and so what may fail. */
const FAILING = new Set<keyof Store>([
  ...(['heads', 'readLog', 'checkCursors', 'viewsReach', 'events'] as const),
  ...(['tasks', 'tasksById', 'tasksChangedSince', 'board', 'viewsShow'] as const),
]);

/** What is difficult now. */
export class Difficulty {
  chances: Chances = NEVER;
  /** Every read fails. */
  away = false;
  /** Shards that the heads leave out. */
  readonly headsAway = new Set<string>();
  /** Shards of which no read of the log can be proven. */
  readonly stuck = new Set<string>();
  /** Shards of which a read of the log takes as long as this, and then fails. */
  readonly hanging = new Map<string, () => Promise<void>>();
  /** Shards whose views do not come on. */
  readonly viewsStuck = new Set<string>();
  /** What is stored shows in the views so much later. Infinity: not before it is made less. */
  viewsLagMs = 0;
  /** How long `viewsReach` waits before it gives up. */
  viewsPatienceMs = 10_000;
  /** Called between the moment in which events are durable and their acknowledgement. */
  onStored: ((events: readonly LogEvent[]) => void | Promise<void>) | null = null;
  /** How often something was difficult, by what it was. */
  readonly met: Record<keyof Chances | 'lateViews' | 'refused', number> = {
    ...{ shortRead: 0, headAway: 0, unavailable: 0, lateViews: 0, refused: 0 },
  };
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Nothing is difficult any more. */
  end(): void {
    this.chances = NEVER;
    this.away = false;
    this.headsAway.clear();
    this.stuck.clear();
    this.hanging.clear();
    this.viewsStuck.clear();
    this.viewsLagMs = 0;
    this.onStored = null;
  }

  happens(what: keyof Chances): boolean {
    const chance = this.chances[what];
    if (chance === 0 || this.#random() >= chance) return false;
    this.met[what]++;
    return true;
  }

  /** A whole number from 0 to `most`. */
  upTo(most: number): number {
    return Math.floor(this.#random() * (most + 1));
  }
}

export interface DifficultStore {
  store: Store;
  difficulty: Difficulty;
}

export function difficultStore(real: Store, random: () => number = Math.random): DifficultStore {
  const difficulty = new Difficulty(random);
  const views = new LateViews(real, difficulty);
  const changed: Partial<Store> = {
    async append(events) {
      const outcomes = await real.append(events);
      views.stored(outcomes.flatMap((o) => (o.outcome === 'STORED' ? [o.position] : [])));
      await difficulty.onStored?.(events);
      return outcomes;
    },
    async heads(taskId) {
      const heads = await real.heads(taskId);
      return heads.filter(
        ({ shard }) => !difficulty.headsAway.has(shard) && !difficulty.happens('headAway'),
      );
    },
    async readLog(shard, to, filter, limit) {
      const hang = difficulty.hanging.get(shard.shard);
      if (hang !== undefined) {
        await hang();
        throw unavailable();
      }
      if (difficulty.stuck.has(shard.shard)) {
        return { events: [], through: shard.seq, droppedThrough: 0 };
      }
      const slice = await real.readLog(shard, to, filter, limit);
      if (slice.through <= shard.seq || !difficulty.happens('shortRead')) return slice;
      const through = shard.seq + difficulty.upTo(slice.through - shard.seq - 1);
      const events = slice.events.filter(({ position }) => position.seq <= through);
      return { ...slice, events, through };
    },
    viewsReach: (positions) => views.reach(positions),
    tasks: (query) => views.tasks(query),
    tasksById: (ids) => views.tasksById(ids),
    tasksChangedSince: (after, limit) => views.tasksChangedSince(after, limit),
    board: (taskId) => views.board(taskId),
  };
  const store = new Proxy(real, {
    get(target, name) {
      const value = (Reflect.get(changed, name) ?? Reflect.get(target, name, target)) as unknown;
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => unknown;
      if (!FAILING.has(name as keyof Store)) return call;
      return async (...args: unknown[]) => {
        if (difficulty.away || difficulty.happens('unavailable')) {
          difficulty.met.refused++;
          throw unavailable();
        }
        return call(...args);
      };
    },
  });
  return { store, difficulty };
}

function unavailable(): ShiplogError {
  return new ShiplogError('STORE_UNAVAILABLE', 'the store is away', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

/** Views as they were a while ago: a fold of the log up to there. They never go back. */
class LateViews {
  readonly #real: Store;
  readonly #difficulty: Difficulty;
  /** Stored, and not to be seen yet. */
  #late: { position: Position; storedAt: number }[] = [];
  /** What was seen once, by shard. */
  readonly #seen = new Map<string, number>();

  constructor(real: Store, difficulty: Difficulty) {
    this.#real = real;
    this.#difficulty = difficulty;
  }

  stored(positions: readonly Position[]): void {
    if (!this.#isLate()) return;
    const storedAt = performance.now();
    for (const position of positions) this.#late.push({ position, storedAt });
  }

  async reach(positions: readonly Position[]): Promise<void> {
    const deadline = performance.now() + this.#difficulty.viewsPatienceMs;
    while (!(await this.#hold(positions))) {
      if (performance.now() > deadline) throw unavailable();
      await pause(2);
    }
    await this.#real.viewsReach(positions);
  }

  async tasks(query: Parameters<Store['tasks']>[0]) {
    const page = await this.#real.tasks(query);
    if (!this.#isLate()) return page;
    const views = await this.tasksById(page.rows.map(({ node }) => node.id));
    const rows = page.rows.flatMap(({ key }, i) => {
      const node = views[i];
      return node == null ? [] : [{ key, node }];
    });
    return { ...page, rows };
  }

  async tasksById(ids: readonly string[]): Promise<(TaskView | null)[]> {
    if (!this.#isLate()) return this.#real.tasksById(ids);
    return Promise.all(
      ids.map(async (id) => {
        const { shown, all } = await this.#eventsOf(id);
        // A task is known from its first acknowledged event on.
        return foldLog(shown.length === 0 ? all : shown).tasks[0] ?? null;
      }),
    );
  }

  async tasksChangedSince(after: readonly ShardCursor[], limit: number) {
    if (!this.#isLate()) return this.#real.tasksChangedSince(after, limit);
    const changed: Position[] = [];
    const tasks: TaskView[] = [];
    const at: ShardCursor[] = [];
    for (const view of await this.#positions()) {
      const cursor = after.find(({ shard }) => shard === view.shard);
      const seq = cursor?.history === view.history ? cursor.seq : 0;
      at.push({ ...view, seq: Math.max(seq, view.seq) });
      const events = await this.#read({ ...view, seq }, view.seq, null);
      const last = new Map(events.map(({ taskId, position }) => [taskId, position]));
      for (const [id, position] of [...last].toSorted(([, a], [, b]) => a.seq - b.seq)) {
        if (tasks.length > limit) break;
        const { shown } = await this.#eventsOf(id);
        tasks.push(foldLog(shown).tasks[0] as TaskView);
        changed.push(position);
      }
      if (tasks.length > limit) {
        const told = changed[limit - 1];
        const own = told?.shard === view.shard ? told.seq : seq;
        at[at.length - 1] = { ...view, seq: own };
        break;
      }
    }
    return { tasks: tasks.slice(0, limit), more: tasks.length > limit, at };
  }

  async board(taskId: string) {
    if (!this.#isLate()) return this.#real.board(taskId);
    const { shown, at } = await this.#eventsOf(taskId);
    if (shown.length === 0) return null;
    const runs = new Map<string, RunState>();
    for (const event of shown) {
      if (event.host === null) continue;
      runs.set(event.host, foldRun(runs.get(event.host) ?? emptyRun(taskId, event.host), event));
    }
    const task = shown.reduce<TaskState>(foldTask, emptyTask(taskId));
    return { task, runs: [...runs.values()], at };
  }

  #isLate(): boolean {
    if (this.#difficulty.viewsLagMs > 0) return true;
    // Once all is to be seen, the real views are: they hold at least what was shown before.
    this.#late = [];
    return false;
  }

  async #hold(positions: readonly Position[]): Promise<boolean> {
    if (positions.some(({ shard }) => this.#difficulty.viewsStuck.has(shard))) return false;
    if (!this.#isLate()) return true;
    const views = new Map((await this.#positions()).map(({ shard, seq }) => [shard, seq]));
    return positions.every(({ shard, seq }) => (views.get(shard) ?? 0) >= seq);
  }

  /** How far the views are, in each shard. */
  async #positions(): Promise<ShardCursor[]> {
    const heads = await this.#real.heads(null);
    const shownUntil = performance.now() - this.#difficulty.viewsLagMs;
    this.#late = this.#late.filter(({ storedAt }) => storedAt > shownUntil);
    return heads.map(({ shard, history, seq }) => {
      const first = this.#late.reduce(
        (least, { position }) => (position.shard === shard ? Math.min(least, position.seq) : least),
        seq + 1,
      );
      if (first <= seq) this.#difficulty.met.lateViews++;
      const shown = Math.max(first - 1, this.#seen.get(shard) ?? 0);
      this.#seen.set(shard, shown);
      return { shard, history, seq: shown };
    });
  }

  /** The events of a task that views show, and all of them. */
  async #eventsOf(taskId: string) {
    const shown: StoredEvent[] = [];
    const all: StoredEvent[] = [];
    const own = new Set((await this.#real.heads(taskId)).map(({ shard }) => shard));
    const at = (await this.#positions()).filter(({ shard }) => own.has(shard));
    for (const view of at) {
      const head = (await this.#real.heads(taskId)).find(({ shard }) => shard === view.shard);
      const events = await this.#read({ ...view, seq: 0 }, head?.seq ?? view.seq, taskId);
      all.push(...events);
      shown.push(...events.filter(({ position }) => position.seq <= view.seq));
    }
    return { shown, all, at };
  }

  async #read(from: ShardCursor, to: number, taskId: string | null): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    let { seq } = from;
    while (seq < to) {
      const filter = taskId === null ? null : { taskId };
      const slice = await this.#real.readLog({ ...from, seq }, to, filter, READ_LIMIT);
      events.push(...slice.events);
      if (slice.through <= seq) await pause(5);
      seq = slice.through;
    }
    return events;
  }
}

/**
 * The live board of one task: its runs folded in memory, for as long as someone looks at it.
 *
 * It starts from the store's states as of a position and folds on from exactly there, so the
 * snapshot joins what follows without a seam. Every change of a run raises the board's version,
 * and `settled` says which version is whole; readers ask for what changed since theirs.
 */
import type { StoredEvent } from '../../domain/event/event.ts';
import { hostsShown, stepOrder } from '../../domain/fold/board-bounds.ts';
import {
  baseRunStatus,
  emptyRun,
  emptyTask,
  foldRun,
  foldTask,
  isOver,
  isSamePlan,
  lastChangeOfAll,
  planOf,
  type TaskState,
} from '../../domain/fold/fold.ts';
import type { RunView, TaskMatrix } from '../../domain/fold/views.ts';
import type { GuardLog } from '../../guarded.ts';
import type { BoardSnapshot, ShardCursor } from '../../store/store.ts';
import { type Heads, headsOf, seqOf, withHead } from '../heads.ts';
import { BoardChanges } from './board-changes.ts';
import { BoardRow, type RowSettings } from './board-row.ts';
import { BoardRows } from './board-rows.ts';

/** How many rows are derived before the clock is looked at. */
const ROWS_AT_ONCE = 50;
/** Runs that are put to rest at one look: a few milliseconds. */
const RESTED_AT_ONCE = 500;

export interface BoardSettings {
  taskId: string;
  staleAfterMs: number;
  now: () => number;
  /** Told of runs that cannot be derived. */
  log: GuardLog;
}

/** A version that everything up to its heads is in. */
export interface Settled {
  version: number;
  heads: Heads;
}

export class Board {
  readonly taskId: string;
  readonly #settings: BoardSettings;
  readonly #rows = new BoardRows();
  readonly #changes = new BoardChanges();
  /** Hosts whose run cannot be derived. */
  readonly #aside = new Set<string>();
  #task: TaskState;
  #plan: readonly string[];
  #over = false;
  #heads: Heads = new Map();
  /** How far everything is derived. */
  #derived: Heads = this.#heads;
  #version = 0;
  #settled: Settled = { version: 0, heads: this.#heads };
  /** The version with which columns changed, or hosts left the plan. */
  #replanned = 0;

  /** Begins with the store's states; `at` is how far they are true. Derived by `settle`. */
  constructor(
    settings: BoardSettings,
    from: Omit<BoardSnapshot, 'task'> & { task: TaskState | null },
  ) {
    this.taskId = settings.taskId;
    this.#settings = settings;
    this.#task = from.task ?? emptyTask(settings.taskId);
    this.#plan = planOf(this.#task);
    this.#heads = headsOf(from.at);
    for (const state of from.runs) {
      const row = this.#rows.add(new BoardRow(state));
      // Counted now, so that a task that is over is known to be before all of its rows are derived.
      this.#orAside(row, () => this.#rows.count(row, baseRunStatus(state, this.#plan)));
    }
    this.#matchPlannedHosts();
    this.#over = isOver(this.#task, this.#rows.totals);
  }

  get heads(): Heads {
    return this.#heads;
  }
  get settled(): Settled {
    return this.#settled;
  }
  /** How far what is shown has come: the heads, unless something is still to be derived. */
  get derived(): Heads {
    return this.clean ? this.#heads : this.#derived;
  }
  /** Everything that was folded is derived. */
  get clean(): boolean {
    return this.#rows.dirty.size === 0;
  }
  /** About what it holds in memory. */
  get bytes(): number {
    return this.#rows.bytes;
  }

  /** Whether a reader of this version needs the whole board again: the columns are others. */
  replannedSince(version: number): boolean {
    return this.#replanned > version;
  }

  /**
   * The same for a reader who comes with positions. What a declaration behind them changed is not
   * known: it may have been the columns, or hosts that are planned no longer.
   */
  replannedBehind(after: Heads): boolean {
    const { position, said, reported } = this.#task;
    if (position === null) return false;
    const seen = seqOf(after, position.shard);
    if (said !== null && said.seq > seen) return true;
    const then = { ...this.#task, reported: reported.filter(({ seq }) => seq <= seen) };
    return !isSamePlan(then, this.#task);
  }

  /** Folds events of this task that are behind the board's heads; others are known already. */
  fold(events: readonly StoredEvent[], at: ShardCursor): void {
    const known = seqOf(this.#heads, at.shard);
    this.#derived = this.derived;
    for (const event of events) {
      if (event.position.seq > known && event.taskId === this.taskId) this.#foldOne(event);
    }
    if (at.seq > known) this.#heads = withHead(this.#heads, at);
  }

  /** Derives what is shown anew where something changed. false: more is to be done, after a rest. */
  settle(forMs: number): boolean {
    const until = performance.now() + forMs;
    do {
      let rows = 0;
      for (const row of this.#rows.dirty) {
        this.#rows.dirty.delete(row);
        this.#refresh(row);
        if (++rows >= ROWS_AT_ONCE) break;
      }
      if (this.#rows.dirty.size === 0) this.#checkOver();
    } while (this.#rows.dirty.size > 0 && performance.now() < until);
    if (this.#rows.dirty.size > 0) return false;
    if (this.#version !== this.#settled.version) {
      this.#settled = { version: this.#version, heads: this.#heads };
    }
    return true;
  }

  /** Looks for runs that fell silent, of which no event tells; and lets those rest that have ended. */
  tick(): void {
    const now = this.#settings.now();
    let rested = 0;
    for (const row of this.#rows.all()) {
      if (now > row.silentAt) this.#rows.dirty.add(row);
      if (rested < RESTED_AT_ONCE && this.#rows.update(row, () => row.rest())) rested++;
    }
  }

  /** Runs that changed behind a version, at most `limit`, and the version that this reaches. */
  changedSince(
    version: number,
    limit: number,
  ): { runs: RunView[]; version: number; more: boolean } {
    const { rows, through, more } = this.#changes.behind(version, limit);
    return { runs: this.#views(rows), version: through, more };
  }

  /**
   * Hosts that an event behind these positions touched, or may have touched through the task; and
   * those that are silent, for when they fell silent no position says.
   */
  hostsBehind(after: Heads): readonly string[] {
    const behind = (at: { shard: string; seq: number } | null) =>
      at !== null && at.seq > seqOf(after, at.shard);
    const { position } = this.#task;
    const seq = lastChangeOfAll(this.#task, this.#over);
    const all = position !== null && behind({ shard: position.shard, seq });
    return all
      ? this.#rows.hosts()
      : this.#rows.all().flatMap((row) => (row.stale || behind(row) ? row.host : []));
  }

  /** Runs as they are now; of hosts that are no longer there nothing. */
  runsOf(hosts: readonly string[]): RunView[] {
    return this.#views(hosts.flatMap((host) => this.#rows.get(host) ?? []));
  }

  /** The board within its bounds (`domain/fold/board-bounds.ts`). */
  matrix(): TaskMatrix {
    const sorted = this.#rows.sorted();
    const others = new Set<string>();
    for (const row of sorted) for (const name of row.others) others.add(name);
    const steps = stepOrder(this.#plan, others);
    const rows = sorted.slice(0, hostsShown(steps.length));
    const cells = rows.map((row) => row.cells(this.#plan, steps)).join('');
    return { steps, hosts: rows.map(({ host }) => host), cells };
  }

  #rowSettings(): RowSettings {
    const { now, staleAfterMs } = this.#settings;
    return { task: this.#task, plan: this.#plan, over: this.#over, now: now(), staleAfterMs };
  }

  #views(rows: readonly BoardRow[]): RunView[] {
    const settings = this.#rowSettings();
    const views: RunView[] = [];
    for (const row of rows) this.#orAside(row, () => void views.push(row.view(settings)));
    return views;
  }

  #foldOne(event: StoredEvent): void {
    const before = this.#task;
    this.#task = foldTask(before, event);
    if (!isSamePlan(before, this.#task)) this.#checkPlan();
    if (event.task !== null) {
      this.#taskChanged(before);
      return;
    }
    const host = event.host as string;
    if (this.#aside.has(host)) return;
    const row = this.#rows.get(host) ?? this.#rows.add(new BoardRow(emptyRun(this.taskId, host)));
    this.#orAside(row, () => {
      row.state = foldRun(row.state, event);
      this.#rows.dirty.add(row);
    });
  }

  /** Whether the columns are others now. */
  #checkPlan(): void {
    const plan = planOf(this.#task);
    if (plan === this.#plan) return;
    if (plan.length === this.#plan.length && plan.every((step, i) => step === this.#plan[i])) {
      return;
    }
    this.#plan = plan;
    this.#replanned = ++this.#version;
    this.#rows.allDirty();
  }

  #taskChanged(before: TaskState): void {
    this.#rows.allDirty();
    if (before.hosts !== this.#task.hosts) this.#matchPlannedHosts();
  }

  /** Planned hosts have a row from the start; one that left the plan unseen has none. */
  #matchPlannedHosts(): void {
    const planned = new Set(this.#task.hosts?.value ?? []);
    for (const host of planned) {
      if (this.#rows.get(host) !== undefined || this.#aside.has(host)) continue;
      const row = this.#rows.add(new BoardRow(emptyRun(this.taskId, host)));
      this.#rows.count(row, 'PENDING');
    }
    for (const row of this.#rows.all()) {
      if (row.seq > 0 || planned.has(row.host)) continue;
      this.#rows.remove(row);
      this.#replanned = ++this.#version;
    }
  }

  #checkOver(): void {
    const over = isOver(this.#task, this.#rows.totals);
    if (over === this.#over) return;
    this.#over = over;
    this.#rows.allDirty();
  }

  #refresh(row: BoardRow): void {
    this.#orAside(row, () => {
      if (!this.#rows.update(row, () => row.refresh(this.#rowSettings()))) return;
      row.version = ++this.#version;
      this.#changes.add(row, this.#rows.size);
    });
  }

  /** A run that cannot be folded or derived is named and left out: the others go on. */
  #orAside(row: BoardRow, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#aside.add(row.host);
      this.#rows.remove(row);
      this.#replanned = ++this.#version;
      const { log, taskId } = this.#settings;
      log.error({ err: error, taskId, host: row.host }, 'a run cannot be shown on its live board');
    }
  }
}

/**
 * The live board of one task: its runs folded in memory, for as long as someone looks at it.
 *
 * It starts from the store's states as of a position and folds on from exactly there, so the
 * snapshot joins what follows without a seam. Every change of a run raises the board's version; a
 * reader asks for "what changed since version v", so readers need no queue and a slow one simply
 * gets fewer, larger batches.
 */
import type { StoredEvent } from '../domain/event.ts';
import {
  baseRunStatus,
  deriveRun,
  emptyRun,
  emptyTask,
  foldRun,
  foldTask,
  isOver,
  moveRun,
  NO_RUNS,
  planOf,
  type RunState,
  type RunTotals,
  type TaskState,
} from '../domain/fold.ts';
import { cellLetter, isStale, type RunView, type TaskMatrix } from '../domain/views.ts';
import type { ShardCursor } from '../store/store.ts';
import { type Heads, headsOf, withHead } from './heads.ts';

interface Row {
  state: RunState;
  view: RunView;
  /** What is shown of it: a run that only got another line of output has not changed. */
  shown: string;
  version: number;
}

export class Board {
  readonly taskId: string;
  #rows = new Map<string, Row>();
  #task: TaskState;
  #totals: RunTotals = NO_RUNS;
  #over = false;
  #heads: Heads = new Map();
  #version = 0;
  /** The version with which the planned steps, the board's columns, changed. */
  #replanned = 0;
  #dirty = new Set<string>();
  #allDirty = false;
  #now: () => number;
  #staleAfterMs: number;

  constructor(taskId: string, now: () => number, staleAfterMs: number) {
    this.taskId = taskId;
    this.#task = emptyTask(taskId);
    this.#now = now;
    this.#staleAfterMs = staleAfterMs;
  }

  get version(): number {
    return this.#version;
  }
  /** Whether the columns are others than a reader of this version has seen. */
  replannedSince(version: number): boolean {
    return this.#replanned > version;
  }
  get heads(): Heads {
    return this.#heads;
  }
  get runs(): number {
    return this.#rows.size;
  }

  /** Begins with the store's states; `at` is how far they are true. */
  load(task: TaskState | null, runs: readonly RunState[], at: readonly ShardCursor[]): void {
    if (task !== null) this.#task = task;
    for (const state of runs) {
      this.#rows.set(state.host, this.#newRow(state));
    }
    this.#matchPlannedHosts();
    this.#heads = headsOf(at);
    this.#allDirty = true;
    this.settle();
  }

  /** Folds events of this task that are behind the board's heads; others are known already. */
  fold(events: readonly StoredEvent[], at: Heads): void {
    for (const event of events) {
      const known = this.#heads.get(event.position.shard);
      if (known !== undefined && event.position.seq <= known.seq) continue;
      if (event.taskId === this.taskId) this.#foldOne(event);
    }
    for (const cursor of at.values()) {
      const known = this.#heads.get(cursor.shard);
      if (known === undefined || known.seq < cursor.seq)
        this.#heads = withHead(this.#heads, cursor);
    }
  }

  /** Derives what is shown anew where something changed: `version` says whether anything did. */
  settle(): void {
    this.#totals = { ...this.#totals, lastFinishedAt: this.#lastFinishedAt() };
    const over = isOver(this.#task, this.#totals);
    if (over !== this.#over) this.#allDirty = true;
    this.#over = over;
    const hosts = this.#allDirty ? [...this.#rows.keys()] : [...this.#dirty];
    this.#dirty.clear();
    this.#allDirty = false;
    for (const host of hosts) this.#refresh(this.#rows.get(host) as Row);
  }

  /** Looks for runs that fell silent: no event tells. */
  tick(): void {
    for (const [host, row] of this.#rows) {
      if (row.view.status === 'RUNNING' && this.#shownOf(row.view) !== row.shown) {
        this.#dirty.add(host);
      }
    }
    this.settle();
  }

  /** Runs that changed behind a version, at most `limit`, and the version that this reaches. */
  changedSince(
    version: number,
    limit: number,
  ): { runs: RunView[]; version: number; more: boolean } {
    const changed = [...this.#rows.values()]
      .filter((row) => row.version > version)
      .sort((a, b) => a.version - b.version);
    const shown = changed.slice(0, limit);
    const more = changed.length > shown.length;
    return {
      runs: shown.map(({ view }) => view),
      version: more ? (shown.at(-1) as Row).version : this.#version,
      more,
    };
  }

  /** The runs that an event behind these positions touched, or may have touched through the task. */
  changedBehind(after: readonly ShardCursor[]): RunView[] {
    const seqs = new Map(after.map(({ shard, seq }) => [shard, seq]));
    const behind = (position: { shard: string; seq: number } | null) =>
      position !== null && position.seq > (seqs.get(position.shard) ?? 0);
    const rows = [...this.#rows.values()];
    const all = behind(this.#task.said) || (this.#over && behind(this.#task.position));
    return (all ? rows : rows.filter((row) => behind(row.state.position))).map(({ view }) => view);
  }

  matrix(): TaskMatrix {
    const rows = [...this.#rows.values()].sort((a, b) => (a.view.host < b.view.host ? -1 : 1));
    const plan = planOf(this.#task);
    const others = new Set<string>();
    for (const { view } of rows) {
      for (const step of view.steps) if (step.index === null) others.add(step.name);
    }
    const steps = [...plan, ...[...others].sort()];
    let cells = '';
    for (const { view } of rows) {
      const byName = new Map(view.steps.map((step) => [step.name, step]));
      for (const name of steps) {
        const step = byName.get(name);
        cells +=
          step === undefined
            ? '-'
            : cellLetter(step.status, isStale(step, this.#now(), this.#staleAfterMs));
      }
    }
    return { steps, hosts: rows.map(({ view }) => view.host), cells };
  }

  #newRow(state: RunState): Row {
    const view = deriveRun(state, this.#task, this.#over);
    return { state, view, shown: '', version: 0 };
  }

  #foldOne(event: StoredEvent): void {
    const before = this.#task;
    this.#task = foldTask(before, event);
    if (event.task !== null) {
      this.#allDirty = true;
      if (planOf(before).join('\0') !== planOf(this.#task).join('\0')) {
        this.#replanned = ++this.#version;
      }
      this.#matchPlannedHosts();
      return;
    }
    const host = event.host as string;
    const row = this.#rows.get(host) ?? this.#newRow(emptyRun(this.taskId, host));
    const known = this.#rows.has(host);
    const plan = planOf(this.#task);
    const from = known ? baseRunStatus(row.state, plan) : null;
    row.state = foldRun(row.state, event);
    this.#rows.set(host, row);
    const to = baseRunStatus(row.state, plan);
    if (from !== to) this.#totals = moveRun(this.#totals, from, to);
    this.#dirty.add(host);
  }

  /** Planned hosts have a row from the start; one that left the plan unseen has none. */
  #matchPlannedHosts(): void {
    const planned = new Set(this.#task.hosts?.value ?? []);
    for (const host of planned) {
      if (!this.#rows.has(host)) this.#rows.set(host, this.#newRow(emptyRun(this.taskId, host)));
    }
    for (const [host, row] of this.#rows) {
      if (row.state.position === null && !planned.has(host)) this.#rows.delete(host);
    }
    this.#retotal();
  }

  #retotal(): void {
    const plan = planOf(this.#task);
    this.#totals = NO_RUNS;
    for (const { state } of this.#rows.values()) {
      this.#totals = moveRun(this.#totals, null, baseRunStatus(state, plan));
    }
  }

  #lastFinishedAt(): number | null {
    let last: number | null = null;
    for (const { view } of this.#rows.values()) {
      if (view.finishedAt !== null && (last === null || view.finishedAt > last)) {
        last = view.finishedAt;
      }
    }
    return last;
  }

  #refresh(row: Row | undefined): void {
    if (row === undefined) return;
    row.view = deriveRun(row.state, this.#task, this.#over);
    const shown = this.#shownOf(row.view);
    if (shown === row.shown) return;
    row.shown = shown;
    row.version = ++this.#version;
  }

  #shownOf(view: RunView): string {
    const now = this.#now();
    return JSON.stringify([
      view.status,
      view.startedAt,
      view.finishedAt,
      view.outOfRotationSince,
      view.service,
      view.environment,
      view.version,
      isStale(view, now, this.#staleAfterMs),
      view.steps.map((step) => [
        step.name,
        step.attempt,
        step.status,
        step.startedAt,
        step.finishedAt,
        step.durationMs,
        step.exitCode,
        step.progress?.done,
        step.error,
        step.command,
        step.attempts.length,
        isStale(step, now, this.#staleAfterMs),
      ]),
    ]);
  }
}

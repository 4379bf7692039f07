/** Rows of tasks, runs, steps and hosts, from their folded states. */
import {
  baseRunStatus,
  deriveHost,
  deriveRun,
  deriveTask,
  type HostState,
  isOver,
  isSamePlan,
  MAX_STEPS_PER_RUN,
  moveRun,
  planOf,
} from '../../../domain/fold/fold.ts';
import type { RunView, StepView, TaskView } from '../../../domain/fold/views.ts';
import { wordsOf } from '../../../domain/search/words.ts';
import { NEVER, orNever, runStatuses, stepStatuses, taskStatuses } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import type { Entries, RunEntry, TaskEntry } from './entries.ts';

export class ViewWriter {
  readonly #connection: Connection;
  readonly #entries: Entries;

  readonly #setAside: (run: RunEntry, error: unknown) => void;

  /** `setAside`: told of a run that cannot be derived. */
  constructor(
    connection: Connection,
    entries: Entries,
    setAside: (run: RunEntry, error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#entries = entries;
    this.#setAside = setAside;
  }

  /** `seq` 0: readers leave it out until it is written. */
  registerTask(task: TaskEntry): void {
    this.#connection.run(
      `INSERT INTO tasks (key, id, day, first_seq, seq, events, state, totals, view, status, over,
         created_at, duration, last_event_at)
       VALUES (?, ?, ?, ?, 0, 0, ?, ?, '{}', 0, 0, 0, 0, 0)`,
      task.key,
      task.state.id,
      task.day,
      task.firstSeq,
      JSON.stringify(task.written),
      JSON.stringify(task.totals),
    );
    task.isNew = false;
  }

  /** `base` -1: readers leave it out until it is written. */
  registerRun(run: RunEntry): void {
    this.#connection.run(
      `INSERT INTO runs (key, task, host, status, base, started_at, duration, last_event_at)
       VALUES (?, ?, ?, 0, -1, ?, ?, ?)`,
      run.key,
      run.task.key,
      run.state.host,
      NEVER,
      NEVER,
      NEVER,
    );
    run.isNew = false;
  }

  /** The dirty tasks with their dirty runs. */
  tasks(): { task: TaskEntry; runs: RunEntry[] }[] {
    const tasks = new Map<TaskEntry, RunEntry[]>();
    for (const task of this.#entries.dirtyTasks.values()) tasks.set(task, []);
    for (const run of this.#entries.dirtyRuns.values()) tasks.get(run.task)?.push(run);
    return [...tasks].map(([task, runs]) => ({ task, runs }));
  }

  writeTask({ task, runs }: { task: TaskEntry; runs: RunEntry[] }): void {
    if (task.aside) {
      this.#connection.run('UPDATE tasks SET events = ? WHERE key = ?', task.events, task.key);
      return;
    }
    const plan = planOf(task.state);
    const planChanged = !isSamePlan(task.state, task.written);
    if (task.state.hosts !== task.written.hosts) {
      for (const run of this.#planHosts(task)) runs.push(run);
    }
    let written = planChanged ? this.#entries.runsOf(task) : runs;
    for (const run of written) this.#count(run, plan);
    const over = isOver(task.state, task.totals);
    const whole = planChanged || over !== task.over;
    task.over = over;
    if (whole && !planChanged) written = this.#entries.runsOf(task);
    for (const run of written) this.#writeRun(run, whole);
    this.#setLastFinished(task);
    this.#writeTaskRow(task, deriveTask(task.state, task.totals));
  }

  /** Hosts that the plan names have a run from the beginning; those it no longer names, none. */
  #planHosts(task: TaskEntry): RunEntry[] {
    const now = new Set(task.state.hosts?.value ?? []);
    for (const host of task.written.hosts?.value ?? []) {
      if (now.has(host)) continue;
      const run = this.#entries.run(task, host);
      if (run.state.position !== null) continue;
      this.#connection.run('DELETE FROM runs WHERE key = ?', run.key);
      this.#connection.run('DELETE FROM steps WHERE task = ? AND run = ?', task.key, run.key);
      task.totals = moveRun(task.totals, run.base, null);
      this.#entries.dropRun(run);
    }
    const added = [...now].map((host) => this.#entries.run(task, host)).filter((run) => run.isNew);
    for (const run of added) this.registerRun(run);
    return added;
  }

  /** When the last run ended: asked only where the task ended by its runs. */
  #setLastFinished(task: TaskEntry): void {
    if (!task.over || task.state.end !== null) return;
    const last = this.#connection.get<{ at: number | null }>(
      'SELECT max(finished_at) AS at FROM runs WHERE task = ?',
      task.key,
    );
    task.totals = { ...task.totals, lastFinishedAt: last?.at ?? null };
  }

  /** Brings the task's totals up to date with one of its runs. */
  #count(run: RunEntry, plan: readonly string[]): void {
    if (run.aside) return;
    try {
      const base = baseRunStatus(run.state, plan);
      if (base === run.base) return;
      run.task.totals = moveRun(run.task.totals, run.base, base);
      run.base = base;
    } catch (error) {
      this.#setAside(run, error);
    }
  }

  /** null: it cannot be derived, and is left as it is stored. */
  #derive(run: RunEntry): RunView | null {
    if (run.aside) return null;
    try {
      return deriveRun(run.state, run.task.state, run.task.over);
    } catch (error) {
      this.#setAside(run, error);
      return null;
    }
  }

  /** `whole`: all its steps, else only the touched ones. */
  #writeRun(run: RunEntry, whole: boolean): void {
    const { task, state } = run;
    const view = this.#derive(run);
    if (view === null) return;
    this.#connection.run(
      `UPDATE runs SET state = ?, status = ?, base = ?, started_at = ?, finished_at = ?,
         duration = ?, last_event_at = ?, out_since = ? WHERE key = ?`,
      state.position === null ? null : JSON.stringify(state),
      runStatuses.code(view.status),
      runStatuses.code(run.base ?? 'PENDING'),
      orNever(view.startedAt),
      view.finishedAt,
      orNever(view.durationMs),
      orNever(view.lastEventAt),
      view.outOfRotationSince,
      run.key,
    );
    const all = whole || run.unwritten || state.steps.length >= MAX_STEPS_PER_RUN;
    if (all && !run.unwritten) {
      this.#connection.run('DELETE FROM steps WHERE task = ? AND run = ?', task.key, run.key);
    }
    for (const step of view.steps) {
      if (all || run.touched.has(step.name)) this.#writeStep(run, step);
    }
    run.unwritten = false;
  }

  #writeStep(run: RunEntry, step: StepView): void {
    this.#connection.run(
      `INSERT INTO steps (task, run, name, idx, status, started_at, finished_at, duration,
         last_event_at, error_code, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET idx = excluded.idx, status = excluded.status,
         started_at = excluded.started_at, finished_at = excluded.finished_at,
         duration = excluded.duration, last_event_at = excluded.last_event_at,
         error_code = excluded.error_code, fingerprint = excluded.fingerprint`,
      run.task.key,
      run.key,
      step.name,
      step.index,
      stepStatuses.code(step.status),
      orNever(step.startedAt),
      step.finishedAt,
      orNever(step.durationMs),
      step.lastEventAt,
      step.error?.code ?? null,
      step.failure?.fingerprint ?? null,
    );
  }

  #writeTaskRow(task: TaskEntry, view: TaskView): void {
    this.#connection.run(
      `UPDATE tasks SET seq = ?, events = ?, state = ?, totals = ?, view = ?, status = ?,
         over = ?, service = ?, environment = ?, version = ?, created_by = ?, labels = ?,
         created_at = ?, duration = ?, last_event_at = ? WHERE key = ?`,
      view.position.seq,
      task.events,
      JSON.stringify({ ...task.state, hosts: null }),
      JSON.stringify(task.totals),
      JSON.stringify(view),
      taskStatuses.code(view.status),
      task.over ? 1 : 0,
      view.service,
      view.environment,
      view.version,
      view.createdBy,
      jsonOrNull(view.labels),
      view.createdAt,
      orNever(view.durationMs),
      view.lastEventAt,
      task.key,
    );
    this.#writeTaskWords(task, view);
    if (task.state.hosts !== task.written.hosts) {
      this.#connection.run(
        'INSERT OR REPLACE INTO task_hosts (task, hosts) VALUES (?, ?)',
        task.key,
        JSON.stringify(task.state.hosts),
      );
    }
    task.written = task.state;
  }

  #writeTaskWords(task: TaskEntry, view: TaskView): void {
    const { id, title, service, version, environment, createdBy } = view;
    const texts = [id, title, service, version, environment, createdBy];
    const words = JSON.stringify(texts);
    if (words === task.writtenWords) return;
    task.writtenWords = words;
    this.#connection.run(
      `INSERT OR REPLACE INTO task_words (rowid, id, title, service, version, environment,
         created_by) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      task.key,
      ...texts.map((text) => (text === null ? null : wordsOf(text).join(' '))),
    );
  }

  writeHost(name: string, state: HostState): void {
    const view = deriveHost(state);
    this.#connection.run(
      `INSERT INTO hosts (name, state, labels, last_seen) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET state = excluded.state, labels = excluded.labels,
         last_seen = excluded.last_seen`,
      name,
      JSON.stringify(state),
      jsonOrNull(view.labels),
      view.lastSeenAt,
    );
  }
}

function jsonOrNull(labels: object): string | null {
  return Object.keys(labels).length === 0 ? null : JSON.stringify(labels);
}

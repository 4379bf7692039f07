/**
 * Folds one shard's log into its views, in two steps. `fold` changes the states in memory, at once
 * and in any order. `store` lays out as documents what changed since, and writes those.
 *
 * A piece is coalesced: a run that fifty of its events touched is written once, and what did not
 * change is not written. Runs and steps are written before their task, and the task before the
 * position, so that after a crash the next keeper meets nothing that claims too much. Documents
 * carry the position as their version: one that was folded further is never overwritten. What they
 * hold may be ahead of it, for what is folded twice changes nothing.
 */
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { StoredEvent } from '../../../domain/event/event.ts';
import {
  baseRunStatus,
  deriveRun,
  deriveTask,
  foldRun,
  foldTask,
  isOver,
  isSamePlan,
  moveRun,
  planOf,
  type RunState,
  type TaskState,
} from '../../../domain/fold/fold.ts';
import { areTooMany, type HeldFor, type HeldRuns, heldRuns, WHOLE_RUNS_MAX } from './held-runs.ts';
import type { SetAside } from './set-aside.ts';
import type { TaskEntries } from './task-entries.ts';
import { type RunEntry, stateBytes, type TaskEntry, taskBytes } from './task-entry.ts';
import { runDocuments, taskDocument, taskHostsDocument } from './view-documents.ts';
import type { ViewWriter } from './view-writer.ts';

const RUNS_AT_A_TIME = 200;
const EVENTS_AT_A_TIME = 2_000;
/** Bytes of states that are folded into before they are stored. */
const UNSTORED_STATES_MAX = 48 * 1024 * 1024;

/** A task as its documents have it. */
interface Before {
  task: TaskState;
  over: boolean;
  /** The former states of runs that changed since, or that the task's change concerns. */
  runs: Map<RunEntry, RunState>;
  /** The base status of those where it changed. */
  bases: Map<RunEntry, RunEntry['base']>;
}

export interface FolderParts {
  generation: number;
  entries: TaskEntries;
  writer: ViewWriter;
  aside: SetAside;
}

export class ViewFolder {
  readonly #parts: FolderParts;
  /** Tasks that something was folded into since they were laid out. */
  readonly #changed = new Map<TaskEntry, Before>();
  /** One folds or lays out at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: FolderParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the states hold these events, or the first of them where the states would be too
   * heavy together: to how many. The others are to be folded when those are stored.
   */
  fold(events: readonly StoredEvent[]): Promise<number> {
    return this.#inTurn(() => this.#fold(events));
  }

  /** Forgets states until they take so many bytes, as far as they are stored. */
  forget(bytes: number): void {
    this.#inTurn(async () => this.#trim(bytes)).catch(() => undefined);
  }

  /**
   * Resolves when the writer has the documents of a task as its state is. false: they are so many
   * that they have to be stored first.
   */
  layOut(taskId: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const entry = this.#parts.entries.get(taskId);
      return entry === undefined || this.#layOut(entry, null);
    });
  }

  /**
   * All runs of a task, of which what is not in memory is read; of a larger one for BY_PAGE those
   * that searches may not show as they are. null: they are too many, or not known.
   */
  held(taskId: string, to: HeldFor): Promise<HeldRuns | null> {
    return this.#inTurn(async () => {
      const { entries, writer } = this.#parts;
      const entry = entries.get(taskId);
      if (entry === undefined) return null;
      if (!(await this.#layOut(entry, null))) return null;
      if (entry.totals.total <= WHOLE_RUNS_MAX) {
        await entries.complete(entry);
        return entry.unreadable.size > 0 ? null : heldRuns(entry, [...entry.runs.values()], null);
      }
      const hosts = to === 'BY_PAGE' ? writer.unsearched.of(taskId) : null;
      if (hosts === null || areTooMany(hosts)) return null;
      const runs = await entries.find(entry, hosts);
      return runs === null ? null : heldRuns(entry, runs, hosts);
    });
  }

  /** Resolves when the views hold all that was folded; `version` grows with the position. */
  async store(version: number): Promise<void> {
    const { writer } = this.#parts;
    await this.#inTurn(async () => {
      for (const entry of [...this.#changed.keys()]) await this.#layOut(entry, version);
    });
    await writer.write(version);
  }

  /** In its turn: what is being folded into is not forgotten. */
  #trim(bytes: number): void {
    const { writer, entries } = this.#parts;
    // What is not stored yet could not be read again.
    const unstored = writer.tasks();
    for (const { id } of this.#changed.keys()) unstored.add(id);
    entries.trim(bytes, unstored);
  }

  #inTurn<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(body);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #fold(events: readonly StoredEvent[]): Promise<number> {
    let folded = 0;
    while (folded < events.length && (folded === 0 || !this.#isFull())) {
      const some = events.slice(folded, this.#parts.entries.loadable(events, folded));
      await this.#foldSome(some);
      folded += some.length;
    }
    return folded;
  }

  /** States that are not stored yet are too heavy for more of them. */
  #isFull(): boolean {
    const { entries } = this.#parts;
    if (entries.bytes <= UNSTORED_STATES_MAX) return false;
    this.#trim(UNSTORED_STATES_MAX / 2);
    return entries.bytes > UNSTORED_STATES_MAX;
  }

  async #foldSome(events: readonly StoredEvent[]): Promise<void> {
    const wanted = new Map<string, Set<string>>();
    for (const { taskId, host } of events) {
      const hosts = wanted.get(taskId) ?? new Set();
      wanted.set(taskId, hosts);
      if (host !== null) hosts.add(host);
    }
    await this.#foldInto(await this.#parts.entries.load(wanted), events);
  }

  async #foldInto(
    tasks: ReadonlyMap<string, TaskEntry>,
    events: readonly StoredEvent[],
  ): Promise<void> {
    const { aside } = this.#parts;
    for (const [at, event] of events.entries()) {
      if (at % EVENTS_AT_A_TIME === EVENTS_AT_A_TIME - 1) await othersTurn();
      const entry = tasks.get(event.taskId);
      if (entry === undefined) continue;
      const { runs } = this.#beforeOf(entry);
      aside.try({ taskId: entry.id, host: null }, () => {
        entry.state = foldTask(entry.state, event);
      });
      const run = event.host === null ? undefined : entry.runs.get(event.host);
      if (run === undefined) continue;
      if (!runs.has(run)) runs.set(run, run.state);
      aside.try({ taskId: entry.id, host: run.host }, () => {
        run.state = foldRun(run.state, event);
      });
    }
  }

  #beforeOf(entry: TaskEntry): Before {
    let before = this.#changed.get(entry);
    if (before === undefined) {
      before = { task: entry.state, over: entry.over, runs: new Map(), bases: new Map() };
      this.#changed.set(entry, before);
    }
    return before;
  }

  /**
   * Where it throws, or there is no room, the next one begins where this one did. `version`: what is
   * laid out may be written as that to make room; null: it may not. false: there was none.
   */
  async #layOut(entry: TaskEntry, version: number | null): Promise<boolean> {
    const was = this.#changed.get(entry);
    if (was === undefined) return true;
    if (!(await this.#hasRoom(version))) return false;
    await this.#settle(entry, was);
    if (!(await this.#layOutRuns(entry, was, version))) return false;
    this.#parts.aside.try({ taskId: entry.id, host: null }, () => this.#layOutTask(entry, was));
    this.#changed.delete(entry);
    return true;
  }

  /** A task that names thousands of hosts and a long plan has a million documents. */
  async #hasRoom(version: number | null): Promise<boolean> {
    const { writer } = this.#parts;
    if (writer.isFull && version !== null) await writer.write(version);
    return !writer.isFull;
  }

  /** Which runs the events concern beyond their own, the counters, and whether the task is over. */
  async #settle(entry: TaskEntry, was: Before): Promise<void> {
    const { entries } = this.#parts;
    const plan = planOf(entry.state);
    const hostsChanged = entry.state.hosts !== was.task.hosts;
    const planChanged = !isSamePlan(entry.state, was.task);
    if (hostsChanged || planChanged || fieldsChanged(entry.state, was.task)) {
      await entries.complete(entry);
      if (hostsChanged) this.#planHosts(entry, was);
      touchAll(entry, was);
    }
    this.#count(entry, was, plan);
    if (isOver(entry.state, entry.totals) !== was.over) {
      await entries.complete(entry);
      touchAll(entry, was);
      this.#count(entry, was, plan);
    }
    entry.over = isOver(entry.state, entry.totals);
  }

  /** Hosts that the plan names have a run from the beginning; those it no longer names, none. */
  #planHosts(entry: TaskEntry, was: Before): void {
    const named = new Set(entry.state.hosts?.value ?? []);
    for (const host of named) {
      if (!entry.runs.has(host)) this.#parts.entries.addRun(entry, host);
    }
    for (const run of entry.runs.values()) {
      if (run.state.position !== null || named.has(run.host)) continue;
      was.runs.set(run, run.state);
      entry.totals = moveRun(entry.totals, run.base, null);
      entry.runs.delete(run.host);
    }
  }

  #count(entry: TaskEntry, was: Before, plan: readonly string[]): void {
    for (const run of was.runs.keys()) {
      if (entry.runs.get(run.host) !== run) continue;
      this.#parts.aside.try({ taskId: entry.id, host: run.host }, () => {
        this.#countRun(entry, was, run, plan);
      });
    }
  }

  #countRun(entry: TaskEntry, was: Before, run: RunEntry, plan: readonly string[]): void {
    const base = baseRunStatus(run.state, plan);
    if (base === 'SUCCEEDED' || base === 'FAILED' || base === 'CANCELLED') {
      const { finishedAt } = deriveRun(run.state, entry.state, entry.over);
      const last = entry.totals.lastFinishedAt;
      if (finishedAt !== null && (last === null || finishedAt > last)) {
        entry.totals = { ...entry.totals, lastFinishedAt: finishedAt };
      }
    }
    if (base === run.base) return;
    entry.totals = moveRun(entry.totals, run.base, base);
    if (!was.bases.has(run)) was.bases.set(run, run.base);
    run.base = base;
  }

  /** false: there is no room for all of them. */
  async #layOutRuns(entry: TaskEntry, was: Before, version: number | null): Promise<boolean> {
    let turn = 0;
    for (const [run, stateBefore] of was.runs) {
      // A fleet's worth of runs would keep appends and tails waiting.
      if (++turn % RUNS_AT_A_TIME === 0) await othersTurn();
      if (this.#parts.writer.isFull && !(await this.#hasRoom(version))) return false;
      this.#parts.aside.try({ taskId: entry.id, host: run.host }, () => {
        this.#layOutRun(entry, was, run, stateBefore);
      });
    }
    return true;
  }

  #layOutRun(entry: TaskEntry, was: Before, run: RunEntry, stateBefore: RunState): void {
    const { generation, writer } = this.#parts;
    const { state } = run;
    const gone = entry.runs.get(run.host) !== run;
    const baseBefore = was.bases.has(run) ? (was.bases.get(run) ?? null) : run.base;
    const isOwn = !gone && baseBefore !== null && !run.unsure && !concernsAll(entry, was);
    // Most of its steps are as they were, and what is shown of them is then as well.
    const changed = stepsChanged(stateBefore, state);
    const mayDiffer = (step: string) => !isOwn || changed.has(step);
    const now = gone
      ? []
      : runDocuments(state, run.base ?? 'PENDING', entry.state, entry.over, generation, mayDiffer);
    const then =
      baseBefore === null
        ? []
        : runDocuments(stateBefore, baseBefore, was.task, was.over, generation, mayDiffer);
    const known = new Map(then.map(({ id, body }) => [id, JSON.stringify(body)]));
    let characters = 0;
    for (const { id, body } of now) {
      const source = JSON.stringify(body);
      characters = Math.max(characters, source.length);
      if (run.unsure || known.get(id) !== source) writer.put(entry.id, run.host, id, source);
      known.delete(id);
    }
    for (const id of known.keys()) writer.put(entry.id, run.host, id, null);
    run.bytes = stateBytes(characters);
    run.unsure = false;
  }

  #layOutTask(entry: TaskEntry, was: Before): void {
    const { generation, writer } = this.#parts;
    if (entry.state.hosts !== was.task.hosts) {
      const { id, body } = taskHostsDocument(entry.id, entry.state.hosts, generation);
      writer.put(entry.id, null, id, JSON.stringify(body));
    }
    const view = deriveTask(entry.state, entry.totals);
    const { id, body } = taskDocument(view, entry.state, entry.totals, generation);
    writer.put(entry.id, null, id, JSON.stringify(body));
    entry.bytes = taskBytes(entry.state);
  }
}

function touchAll(entry: TaskEntry, was: Before): void {
  for (const run of entry.runs.values()) if (!was.runs.has(run)) was.runs.set(run, run.state);
}

/** Whether what is shown of runs may differ though nothing came of them. */
function concernsAll({ state, over }: TaskEntry, was: Before): boolean {
  return over !== was.over || !isSamePlan(state, was.task) || fieldsChanged(state, was.task);
}

function stepsChanged(before: RunState, now: RunState): Set<string> {
  const known = new Map(before.steps);
  return new Set(now.steps.flatMap(([name, step]) => (known.get(name) === step ? [] : [name])));
}

/** The task's fields that its runs and steps carry. */
function fieldsChanged(a: TaskState, b: TaskState): boolean {
  return (
    a.service?.value !== b.service?.value ||
    a.environment?.value !== b.environment?.value ||
    a.version?.value !== b.version?.value
  );
}

/**
 * Folds a piece of one shard's log into the stored views.
 *
 * A batch is coalesced: a run that fifty of its events touched is written once, and what did not
 * change is not written. Runs and steps are written before their task, and the task before the
 * position, so that after a crash the next keeper meets nothing that claims too much. Documents
 * carry the position as their version: one that was folded further is never overwritten.
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
import { type Bulk, type BulkItem, bulkItem } from '../cluster/bulk.ts';
import { unavailable } from '../cluster/connection.ts';
import type { Aside, SetAside } from './set-aside.ts';
import type { RunEntry, TaskEntries, TaskEntry } from './task-entries.ts';
import {
  runDocuments,
  taskDocument,
  taskHostsDocument,
  type ViewDocument,
} from './view-documents.ts';

/** Documents in one request, and their bytes. */
const CHUNK_DOCUMENTS = 1_000;
const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNKS_AT_A_TIME = 3;
const RUNS_AT_A_TIME = 200;
/** A cluster takes no request over 100 MB. */
const DOCUMENT_MAX = 32 * 1024 * 1024;

interface Before {
  task: TaskState;
  over: boolean;
  runs: Map<RunEntry, RunState>;
}

export interface FolderParts {
  bulk: Bulk;
  index: string;
  generation: number;
  entries: TaskEntries;
  aside: SetAside;
  /** Told how many documents were written. */
  onWrite: (documents: number) => void;
}

export class ViewFolder {
  readonly #parts: FolderParts;

  constructor(parts: FolderParts) {
    this.#parts = parts;
  }

  /** Resolves when the views hold these events; `version` grows with the position. */
  async fold(events: readonly StoredEvent[], version: number): Promise<void> {
    const { entries, aside } = this.#parts;
    const wanted = new Map<string, Set<string>>();
    for (const { taskId, host } of events) {
      const hosts = wanted.get(taskId) ?? new Set();
      wanted.set(taskId, hosts);
      if (host !== null) hosts.add(host);
    }
    const tasks = await entries.load(wanted);
    const before = new Map<TaskEntry, Before>();
    for (const entry of tasks.values()) {
      before.set(entry, { task: entry.state, over: entry.over, runs: new Map() });
    }
    for (const event of events) {
      const entry = tasks.get(event.taskId);
      if (entry === undefined) continue;
      aside.try({ taskId: entry.id, host: null }, () => {
        entry.state = foldTask(entry.state, event);
      });
      const run = event.host === null ? undefined : entry.runs.get(event.host);
      if (run === undefined) continue;
      const { runs } = before.get(entry) as Before;
      if (!runs.has(run)) runs.set(run, run.state);
      aside.try({ taskId: entry.id, host: run.host }, () => {
        run.state = foldRun(run.state, event);
      });
    }
    const runItems: BulkItem[] = [];
    const taskItems: BulkItem[] = [];
    for (const [entry, was] of before) {
      await this.#settle(entry, was);
      await this.#collectRuns(entry, was, version, runItems);
      aside.try({ taskId: entry.id, host: null }, () => {
        this.#collectTask(entry, was, version, taskItems);
      });
    }
    await this.#write(runItems);
    await this.#write(taskItems);
    for (const entry of before.keys()) entry.written = entry.state;
    entries.trim();
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
        this.#countRun(entry, run, plan);
      });
    }
  }

  #countRun(entry: TaskEntry, run: RunEntry, plan: readonly string[]): void {
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
    this.#moved.set(run, this.#moved.get(run) ?? run.base);
    run.base = base;
  }

  /** The base status of each run before this batch, where it changed. */
  readonly #moved = new Map<RunEntry, RunEntry['base']>();

  async #collectRuns(
    entry: TaskEntry,
    was: Before,
    version: number,
    items: BulkItem[],
  ): Promise<void> {
    let turn = 0;
    for (const [run, stateBefore] of was.runs) {
      // A fleet's worth of runs would keep appends and tails waiting.
      if (++turn % RUNS_AT_A_TIME === 0) await othersTurn();
      this.#parts.aside.try({ taskId: entry.id, host: run.host }, () => {
        this.#collectRun(entry, was, run, stateBefore, version, items);
      });
    }
    this.#moved.clear();
  }

  #collectRun(
    entry: TaskEntry,
    was: Before,
    run: RunEntry,
    stateBefore: RunState,
    version: number,
    items: BulkItem[],
  ): void {
    const { generation } = this.#parts;
    const gone = entry.runs.get(run.host) !== run;
    const baseBefore = this.#moved.has(run) ? (this.#moved.get(run) ?? null) : run.base;
    const now = gone
      ? []
      : runDocuments(run.state, run.base ?? 'PENDING', entry.state, entry.over, generation);
    const then =
      baseBefore === null
        ? []
        : runDocuments(stateBefore, baseBefore, was.task, was.over, generation);
    this.#difference(entry.id, run.unsure, then, now, version, items);
    run.unsure = false;
  }

  #difference(
    taskId: string,
    unsure: boolean,
    then: readonly ViewDocument[],
    now: readonly ViewDocument[],
    version: number,
    items: BulkItem[],
  ): void {
    const stored = new Map(then.map(({ id, body }) => [id, JSON.stringify(body)]));
    for (const { id, body } of now) {
      const source = JSON.stringify(body);
      if (unsure || stored.get(id) !== source) {
        items.push({ action: JSON.stringify({ index: this.#meta(id, taskId, version) }), source });
      }
      stored.delete(id);
    }
    for (const id of stored.keys()) {
      items.push({
        action: JSON.stringify({ delete: this.#meta(id, taskId, version) }),
        source: '',
      });
    }
  }

  #collectTask(entry: TaskEntry, was: Before, version: number, items: BulkItem[]): void {
    const { generation } = this.#parts;
    if (entry.state.hosts !== was.task.hosts) {
      const { id, body } = taskHostsDocument(entry.id, entry.state.hosts, generation);
      items.push(bulkItem('index', this.#meta(id, entry.id, version), body));
    }
    const view = deriveTask(entry.state, entry.totals);
    const { id, body } = taskDocument(view, entry.state, entry.totals, generation);
    items.push(bulkItem('index', this.#meta(id, entry.id, version), body));
  }

  #meta(id: string, routing: string, version: number): Record<string, unknown> {
    return { _index: this.#parts.index, _id: id, routing, version, version_type: 'external_gte' };
  }

  /** In pieces, some of them at a time: all are of different documents. */
  async #write(items: readonly BulkItem[]): Promise<void> {
    const tooLarge = items.filter(({ source }) => source.length > DOCUMENT_MAX);
    for (const item of tooLarge) this.#parts.aside.add(whatIs(item), 'it is over 32 MiB');
    const chunks = chunksOf(items.filter((item) => !tooLarge.includes(item)));
    const send = async () => {
      for (let chunk = chunks.next(); !chunk.done; chunk = chunks.next()) {
        await this.#send(chunk.value);
      }
    };
    const senders = Array.from({ length: CHUNKS_AT_A_TIME }, send);
    // None may be under way when another attempt begins.
    for (const sent of await Promise.allSettled(senders)) {
      if (sent.status === 'rejected') throw sent.reason;
    }
  }

  async #send(chunk: readonly BulkItem[]): Promise<void> {
    const outcomes = await this.#parts.bulk.send(chunk);
    if (outcomes.some(({ state }) => state === 'missing')) {
      throw unavailable(`${this.#parts.index} is not there`);
    }
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.state !== 'refused') continue;
      this.#parts.aside.add(whatIs(chunk[i] as BulkItem), outcome.reason);
    }
    this.#parts.onWrite(chunk.length);
  }
}

/** Of which task and host a document tells; read only where it is set aside. */
function whatIs({ action, source }: BulkItem): Aside {
  const [{ routing }] = Object.values(JSON.parse(action)) as [{ routing: string }];
  const host = /"host":\{"name":("(?:[^"\\]|\\.)*")/.exec(source)?.[1];
  return { taskId: routing, host: host === undefined ? null : JSON.parse(host) };
}

function* chunksOf(items: readonly BulkItem[]): Generator<BulkItem[]> {
  let chunk: BulkItem[] = [];
  let bytes = 0;
  for (const item of items) {
    chunk.push(item);
    bytes += item.source.length + item.action.length;
    if (chunk.length < CHUNK_DOCUMENTS && bytes < CHUNK_BYTES) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

function touchAll(entry: TaskEntry, was: Before): void {
  for (const run of entry.runs.values()) if (!was.runs.has(run)) was.runs.set(run, run.state);
}

/** The task's fields that its runs and steps carry. */
function fieldsChanged(a: TaskState, b: TaskState): boolean {
  return (
    a.service?.value !== b.service?.value ||
    a.environment?.value !== b.environment?.value ||
    a.version?.value !== b.version?.value
  );
}

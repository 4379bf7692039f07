/** The states that a keeper folds into, read from the stored views when they are first needed. */
import { z } from 'zod';
import { RUN_STATUSES, type RunStatus, type StoredEvent } from '../../../domain/event/event.ts';
import {
  emptyRun,
  emptyTask,
  isOver,
  moveRun,
  NO_RUNS,
  type TaskState,
} from '../../../domain/fold/fold.ts';
import { AnswerTooLong, type Connection } from '../cluster/connection.ts';
import { getAllDocuments, PART_BYTES } from '../cluster/documents.ts';
import type { Refresher } from '../cluster/refresher.ts';
import { runId, taskHostsId, taskId } from '../indices/ids.ts';
import { shardPreference } from '../indices/names.ts';
import { countRuns, runsOf } from './counted-runs.ts';
import type { SetAside } from './set-aside.ts';
import { runStateOf, storedTaskOf } from './stored-states.ts';
import { entryBytes, type RunEntry, stateBytes, type TaskEntry, taskBytes } from './task-entry.ts';

interface StateSource {
  shiplog: { generation: number; state: string; base_status?: RunStatus };
}

const STATUS = z.enum(RUN_STATUSES);
const RUN = z.object({
  _source: z.object({
    host: z.object({ name: z.string() }),
    shiplog: z.object({ base_status: STATUS, state: z.string() }),
  }),
  sort: z.tuple([z.string()]),
});
type StoredRun = z.infer<typeof RUN>;
const RUNS = z.object({ hits: z.object({ hits: z.array(RUN) }) });

export interface TaskEntriesParts {
  connection: Connection;
  refresher: Pick<Refresher, 'refresh'>;
  /** The index of the day's views. */
  index: string;
  shard: string;
  generation: number;
  aside: SetAside;
}

const PAGE = 2_000;
/** Runs that are read at a time: few at first and where they are heavy, for a state may have 900 KB. */
const FIRST_RUNS = 100;
const LEAST_RUNS = 20;
const MOST_RUNS = 5_000;
const READ_BYTES = 16 * 1024 * 1024;
export class TaskEntries {
  readonly #connection: Connection;
  readonly #refresher: Pick<Refresher, 'refresh'>;
  readonly #index: string;
  readonly #generation: number;
  readonly #preference: string;
  readonly #aside: SetAside;
  readonly #tasks = new Map<string, TaskEntry>();
  #clock = 0;
  #runsAtATime = FIRST_RUNS;
  /** Folding what a keeper before this one may have folded in part: nothing stored is believed. */
  recovering = false;

  constructor({ connection, refresher, index, shard, generation, aside }: TaskEntriesParts) {
    this.#connection = connection;
    this.#refresher = refresher;
    this.#index = index;
    this.#preference = shardPreference(shard);
    this.#generation = generation;
    this.#aside = aside;
  }

  /** About what they take in memory. */
  get bytes(): number {
    let bytes = 0;
    for (const entry of this.#tasks.values()) bytes += entryBytes(entry);
    return bytes;
  }

  /**
   * How far events may be folded behind `from` at a time: until as many runs are to be read for them as
   * memory is lent to.
   */
  loadable(events: readonly StoredEvent[], from: number): number {
    const missing = new Set<string>();
    for (let at = from; at < events.length; at++) {
      const { taskId, host } = events[at] as StoredEvent;
      const entry = this.#tasks.get(taskId);
      if (entry !== undefined && (host === null || entry.complete || entry.runs.has(host)))
        continue;
      missing.add(JSON.stringify([taskId, host]));
      if (missing.size > this.#runsAtATime) return at;
    }
    return events.length;
  }

  /** The entries of these tasks, with at least these of their runs. */
  async load(wanted: ReadonlyMap<string, ReadonlySet<string>>): Promise<Map<string, TaskEntry>> {
    await this.#loadTasks([...wanted.keys()].filter((id) => !this.#tasks.has(id)));
    const entries = new Map<string, TaskEntry>();
    const missing: { entry: TaskEntry; host: string }[] = [];
    for (const [id, hosts] of wanted) {
      const entry = this.#tasks.get(id);
      if (entry === undefined) continue;
      entry.usedAt = ++this.#clock;
      entries.set(id, entry);
      for (const host of hosts) {
        if (entry.runs.has(host) || entry.unreadable.has(host)) continue;
        if (entry.complete) this.addRun(entry, host);
        else missing.push({ entry, host });
      }
    }
    await this.#loadStored(missing);
    for (const { entry, host } of missing) {
      if (!entry.runs.has(host) && !entry.unreadable.has(host)) this.addRun(entry, host);
    }
    return entries;
  }

  /** The runs of these hosts, as far as there are any; null: one of them cannot be read. */
  async find(entry: TaskEntry, hosts: readonly string[]): Promise<RunEntry[] | null> {
    const missing = hosts.filter((host) => !entry.complete && !entry.runs.has(host));
    await this.#loadStored(missing.map((host) => ({ entry, host })));
    if (hosts.some((host) => entry.unreadable.has(host))) return null;
    return hosts.flatMap((host) => entry.runs.get(host) ?? []);
  }

  /** What is in memory of a task. */
  get(id: string): TaskEntry | undefined {
    return this.#tasks.get(id);
  }

  addRun(entry: TaskEntry, host: string): RunEntry {
    const base = entry.counted?.get(host) ?? null;
    const state = emptyRun(entry.id, host);
    const run = { host, state, base, unsure: base !== null, bytes: stateBytes(0) };
    entry.counted?.delete(host);
    entry.runs.set(host, run);
    return run;
  }

  /** Reads what is not here yet of a task's runs. */
  async complete(entry: TaskEntry): Promise<void> {
    if (entry.complete) return;
    await this.#refresher.refresh(this.#index);
    let after: [string] | null = null;
    for (let size = PAGE; ; ) {
      const hits: StoredRun[] | null = await this.#readRuns(entry.id, after, size);
      if (hits === null) {
        size = Math.ceil(size / 4);
        continue;
      }
      for (const { _source } of hits) {
        const host = _source.host.name;
        if (entry.runs.has(host)) continue;
        this.#addStored(entry, host, _source.shiplog.state, _source.shiplog.base_status);
      }
      if (hits.length < size) break;
      after = hits.at(-1)?.sort ?? null;
    }
    // What was counted, and is not there any more.
    for (const [host, base] of entry.counted ?? []) {
      if (!entry.unreadable.has(host)) entry.totals = moveRun(entry.totals, base, null);
    }
    entry.counted = null;
    entry.complete = true;
  }

  /** null: so many are longer than an answer may be. */
  async #readRuns(id: string, after: [string] | null, size: number): Promise<StoredRun[] | null> {
    const asked = this.#connection.expect(
      {
        method: 'POST',
        path: `/${this.#index}/_search`,
        query: { preference: this.#preference, allow_partial_search_results: false },
        body: {
          size,
          query: runsOf([id], this.#generation),
          sort: [{ 'host.name': 'asc' }],
          _source: ['host.name', 'shiplog.base_status', 'shiplog.state'],
          track_total_hits: false,
          ...(after === null ? {} : { search_after: after }),
        },
        safe: true,
        // One alone is as long as it is.
        ...(size === 1 ? {} : { maxBytes: PART_BYTES }),
      },
      RUNS,
    );
    try {
      return (await asked).hits.hits;
    } catch (error) {
      if (error instanceof AnswerTooLong && size > 1) return null;
      throw error;
    }
  }

  /** Forgets what was used longest ago until the others take so many bytes, and nothing of `kept`. */
  trim(bytes: number, kept: ReadonlySet<string>): void {
    let left = this.bytes;
    const oldest = [...this.#tasks.values()].sort((a, b) => a.usedAt - b.usedAt);
    for (const entry of oldest) {
      if (left <= bytes) break;
      if (kept.has(entry.id)) continue;
      this.#tasks.delete(entry.id);
      left -= entryBytes(entry);
    }
  }

  async #loadTasks(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const docs = await this.#mget(
      ids.flatMap((id) => [
        { id: taskId(id), routing: id },
        { id: taskHostsId(id), routing: id },
      ]),
    );
    const stored: TaskEntry[] = [];
    for (const [i, id] of ids.entries()) {
      this.#aside.try({ taskId: id, host: null }, () => {
        stored.push(this.#taskOf(id, docs[2 * i], docs[2 * i + 1]));
      });
    }
    for (const entry of stored) this.#tasks.set(entry.id, entry);
    if (this.recovering) await this.#recount(stored);
  }

  #taskOf(
    id: string,
    taskDocument: StateSource | null | undefined,
    hostsDocument: StateSource | null | undefined,
  ): TaskEntry {
    const stored = this.#textOf(taskDocument);
    const task = stored === null ? null : storedTaskOf(stored);
    const named = this.#textOf(hostsDocument);
    const hosts = named === null ? null : (JSON.parse(named) as TaskState['hosts']);
    const state = task === null ? emptyTask(id) : { ...task.state, hosts };
    return {
      id,
      state,
      totals: task?.totals ?? NO_RUNS,
      over: task !== null && isOver(state, task.totals),
      runs: new Map(),
      counted: null,
      complete: task === null,
      unreadable: new Set(),
      usedAt: ++this.#clock,
      bytes: taskBytes(state),
    };
  }

  /** Runs may be stored whose task is not yet: a crash came between. So they are counted. */
  async #recount(entries: readonly TaskEntry[]): Promise<void> {
    await this.#refresher.refresh(this.#index);
    const counted = await countRuns(
      {
        connection: this.#connection,
        index: this.#index,
        preference: this.#preference,
        generation: this.#generation,
      },
      entries.map(({ id }) => id),
    );
    for (const entry of entries) {
      const { totals = NO_RUNS, bases = null } = counted.get(entry.id) ?? {};
      if (totals.total > 0) entry.complete = false;
      entry.totals = totals;
      entry.counted = bases;
    }
  }

  /** Those that are stored. */
  async #loadStored(missing: readonly { entry: TaskEntry; host: string }[]): Promise<void> {
    if (missing.length === 0) return;
    const docs = await this.#mget(
      missing.map(({ entry, host }) => ({ id: runId(entry.id, host), routing: entry.id })),
    );
    let bytes = 0;
    for (const [i, { entry, host }] of missing.entries()) {
      const base = docs[i]?.shiplog.base_status ?? 'PENDING';
      const text = this.#textOf(docs[i]);
      if (text === null) continue;
      bytes += stateBytes(text.length);
      this.#addStored(entry, host, text, base);
    }
    this.#weigh(missing.length, bytes);
  }

  /** How many may be read next, from how heavy these were. */
  #weigh(runs: number, bytes: number): void {
    const fits = Math.min((runs * READ_BYTES) / Math.max(1, bytes), 4 * this.#runsAtATime);
    this.#runsAtATime = Math.floor(Math.max(LEAST_RUNS, Math.min(MOST_RUNS, fits)));
  }

  #addStored(entry: TaskEntry, host: string, text: string, stored: RunStatus): void {
    const isReadable = this.#aside.try({ taskId: entry.id, host }, () => {
      const state = runStateOf(text);
      const base = entry.counted === null ? stored : (entry.counted.get(host) ?? null);
      entry.counted?.delete(host);
      const unsure = this.recovering || base !== stored;
      entry.runs.set(host, { host, state, base, unsure, bytes: stateBytes(text.length) });
    });
    if (!isReadable) entry.unreadable.add(host);
  }

  /** null: there is none of this generation. */
  #textOf(source: StateSource | null | undefined): string | null {
    const stored = source?.shiplog;
    return stored?.generation === this.#generation ? stored.state : null;
  }

  async #mget(ids: readonly { id: string; routing: string }[]): Promise<(StateSource | null)[]> {
    const docs = await getAllDocuments<StateSource>(
      this.#connection,
      ids.map((id) => ({ index: this.#index, ...id })),
      ['shiplog.generation', 'shiplog.state', 'shiplog.base_status'],
    );
    return docs.map((doc) => doc?.source ?? null);
  }
}

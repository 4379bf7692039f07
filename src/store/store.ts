/**
 * The port between Shiplog and its engines. Every comment is a contract that
 * `test/store/contract.ts` holds both engines to: behind each sentence stands its number, which the
 * cases that prove it name.
 *
 * The log is shards of events; a shard's `seq` is dense and in commit order, [S1] and what is at or
 * below its head is settled: it is never rolled back, and nothing is ever added below it. [S2]
 * Views lag behind the log at most; `viewsReach` waits for them. [S3]
 *
 * All read methods take arrays where a page of a list asks the same of each row, so that GraphQL
 * makes one call for all of them; answers are in the order of the questions. [S4] Unknown names are
 * null or empty, never an error. [S5] Returned values are the caller's. [S6] Errors are
 * ShiplogErrors: STORE_UNAVAILABLE (with retryAfterMs), [S7] STORE_FULL, [S8] QUERY_TIMEOUT. [S9]
 * After `close` every call rejects with SHUTTING_DOWN; [S10] closing twice is fine. [S11]
 *
 * Both engines answer with the same values. [S12] Only these are the engine's own: shards and what
 * is made of them (positions, cursors, page keys), and the order of rows that are equal in all that
 * their list is sorted by, which stays the same.
 */

import type { Page, PageRequest } from '../domain/cursor/page.ts';
import type { InputProblem, ShiplogError } from '../domain/errors.ts';
import type { LogEvent, Position, StoredEvent } from '../domain/event/event.ts';
import type { RunState, TaskState } from '../domain/fold/fold.ts';
import type {
  Completeness,
  EventHistogram,
  FailureGroup,
  HostReliability,
  HostView,
  RunView,
  StepStats,
  StepView,
  TaskMatrix,
  TaskStats,
  TaskView,
} from '../domain/fold/views.ts';
import type {
  EventFilter,
  HostFilter,
  RunFilter,
  StepFilter,
  TaskFilter,
} from '../domain/search/filter.ts';

/** The settings that views depend on; the same for every engine. */
export interface ViewSettings {
  staleAfterMs: number;
  retentionDays: number;
  maxEventsPerTask: number;
  /** Every query stops after this long with QUERY_TIMEOUT. [S9] */
  queryTimeoutMs: number;
  now: () => number;
}

export type AppendOutcome =
  | {
      outcome: 'STORED';
      position: Position;
      /** What was said of the task until then, in the order of the log: the event has it too. [A9] */
      service: string | null;
      environment: string | null;
    }
  /** position: of the first copy, where the engine knows it cheaply. [A6] */
  | { outcome: 'DUPLICATE'; position: Position | null }
  /** ID_CONFLICT, [A7] TASK_EXPIRED, [A10] TASK_FULL. [A11] */
  | { outcome: 'REJECTED'; problem: InputProblem };

/** Not known to be stored, and not acknowledged: a retry with the same id tells. [A3] */
export interface Unsettled {
  outcome: 'UNSETTLED';
  /** STORE_UNAVAILABLE or STORE_FULL. */
  error: ShiplogError;
}

export interface AppendLimits {
  /** Appends that may run at a time; more would only queue inside the engine. */
  inFlight: number;
  batchEvents: number;
  batchBytes: number;
}

/**
 * One shard and how far it is settled. `history` changes when what is below the head may have
 * changed (a restore), so a cursor carries it; [K3] `droppedThrough` is the greatest seq that
 * retention has removed (0: none), though events below it may still be there. [H3]
 */
export interface ShardHead {
  shard: string;
  history: number;
  seq: number;
  droppedThrough: number;
}

/** Where a reader stands in one shard: everything at or below `seq` is behind it. */
export interface ShardCursor {
  shard: string;
  history: number;
  seq: number;
}

/**
 * A cursor's history is the one in force when it was issued, while its seq may be from long
 * before: `live` is whatever that history had at that seq and still has.
 *
 * `live`: goes on exactly behind. [K1] `dropped`: retention removed the shard; all of it was
 * delivered when the cursor's seq ≥ finalSeq. [K2] `unknown`: another history, or no such shard. [K3]
 */
export type CursorCheck =
  | { state: 'live' }
  | { state: 'dropped'; finalSeq: number }
  | { state: 'unknown' };

export interface LogSlice {
  /** In order of seq, only those that match. */
  events: StoredEvent[];
  /** Everything at or below this seq was looked at: where to go on. Never beyond what is proven. */
  through: number;
  /** As of the shard's head, in the moment of the read: what was removed before is not among them. [R5] */
  droppedThrough: number;
}

export type EventOrder = 'LOG' | 'TIME';
export type TaskOrder = 'CREATED_DESC' | 'CREATED_ASC' | 'DURATION_DESC';
export type RunOrder =
  | 'HOST_ASC'
  | 'STARTED_DESC'
  | 'DURATION_DESC'
  | 'LAST_EVENT_DESC'
  | 'FAILED_FIRST';
export type StepOrder = 'STARTED_DESC' | 'STARTED_ASC' | 'DURATION_DESC';
export type StepGroupBy = 'STEP' | 'HOST' | 'STEP_AND_SERVICE' | 'STEP_AND_DAY';

export interface EventQuery {
  filter: EventFilter;
  /**
   * LOG needs filter.taskId, and its page key is its seq. [E3] TIME is by `at`, and events of one
   * millisecond by their seq: in the order of the log within a shard, so of a task; those of
   * different shards in an order that stays the same. [E4] Always ascending; `backward` pages give
   * the newest. [E5]
   */
  order: EventOrder;
  page: PageRequest;
}
/** `at`: the heads that the page's snapshot could see: a tail from there has no seam. [E6] */
export interface EventPage extends Page<StoredEvent> {
  at: ShardCursor[];
}
export interface TaskQuery {
  filter: TaskFilter;
  order: TaskOrder;
  page: PageRequest;
}
export interface RunQuery {
  filter: RunFilter;
  order: RunOrder;
  page: PageRequest;
}
export interface StepQuery {
  filter: StepFilter;
  order: StepOrder;
  page: PageRequest;
}
export interface HostQuery {
  filter: HostFilter;
  page: PageRequest;
}

export interface RunKey {
  taskId: string;
  host: string;
}
export interface StepKey extends RunKey {
  step: string;
}

/** A task's board, and how far its views were. [B1] */
export type MatrixAnswer = { matrix: TaskMatrix; at: ShardCursor[] } | null;

/** A task's folded states as of `at`: what a live board starts from. [B4] */
export interface BoardSnapshot {
  task: TaskState;
  /** Of the hosts that something was reported of; those only planned are in `task`. [B5] */
  runs: RunState[];
  at: ShardCursor[];
}

/**
 * How views are asked: for tasks, runs and steps by their ids, for pages of `runs` and `steps` of
 * named tasks, for what is of whole named tasks (`taskStats`, `matrices`; `failureGroups` with a
 * `taskId`), or by any query. Each shows what those before it do.
 */
export type ViewsAsked = 'BY_ID' | 'BY_PAGE' | 'BY_TASK' | 'BY_SEARCH';

export interface StoreHealth {
  /** Reads and writes work now. [M6] */
  ok: boolean;
  /** For an operator: which part is not well, in words; no secrets. */
  detail: string;
}

export interface RetentionReport {
  removedTasks: number;
  removedEvents: number;
  /** Days (UTC, YYYY-MM-DD) of whose tasks nothing is left. [M3] */
  removedDays: string[];
}

export interface Store {
  readonly engine: 'sqlite' | 'elasticsearch';
  /** true: other processes append to the same log, so a follower must poll. [S13] */
  readonly shared: boolean;
  /**
   * Resolves with the reason when the store can never write again in this process; nothing that
   * was acknowledged is lost. [S14] Mostly it never does.
   */
  readonly failed: Promise<Error>;
  readonly appendLimits: AppendLimits;

  // ── the log ────────────────────────────────────────────────────────────────────────────────
  /**
   * Resolves when every item is decided or given up, and STORED or DUPLICATE items are durable. [A1]
   * UNSETTLED are those whose own shard cannot take them now; the others do not wait long for
   * them. [A2] Items are in the order of `events`, [A4] and events of one call that are STORED take
   * their seqs in that order within a shard. [A5] An event whose `id` is already there is DUPLICATE
   * where the `digest` is the same, [A6] else ID_CONFLICT; [A7] this holds within one call too. [A8]
   * One item never harms another. [A12] Where it throws, nothing can be taken now and nothing was
   * acknowledged (some may be stored all the same). [A13]
   */
  append(events: readonly LogEvent[]): Promise<(AppendOutcome | Unsettled)[]>;

  /**
   * The settled heads of the shards that events of `taskId` are or will be in (a task not known
   * yet: those that it can begin in), [H1] or of all shards. [H2]
   */
  heads(taskId: string | null): Promise<ShardHead[]>;

  /**
   * Events of one shard with seq in (after, to], that match, at most `limit` of them, [R1] and fewer
   * where they are heavy. [R2] `to` is at most the settled head: nothing beyond it is told. [R3]
   * Proven whole: where that cannot be proven now, `through` stops short. [R4]
   */
  readLog(
    shard: ShardCursor,
    to: number,
    filter: EventFilter | null,
    limit: number,
  ): Promise<LogSlice>;

  /** What each cursor still means; over a restart too. [K4] */
  checkCursors(cursors: readonly ShardCursor[]): Promise<CursorCheck[]>;

  /** Resolves when views hold everything at or below these positions. [S3] */
  viewsReach(positions: readonly Position[]): Promise<void>;

  /**
   * Resolves when views show everything that this process acknowledged of these tasks before the
   * call, to those who ask in this way. [V1] Waits for nothing
   * else, for some seconds at most, and never throws for being behind: resolves to the greatest
   * number of events that the views of a shard of theirs lack, and to 0 where that is of no
   * consequence. [V2]
   */
  viewsShow(taskIds: readonly string[], to: ViewsAsked): Promise<number>;

  // ── queries ────────────────────────────────────────────────────────────────────────────────
  /**
   * Those that `matchesEvent` takes, and no others. [E1] A page that would be too heavy has fewer
   * rows, and says that there are more. [E2] Totals are exact up to 10,000, and say so. [E7]
   */
  events(queries: readonly EventQuery[]): Promise<EventPage[]>;
  /** Those that the filter selects, in the order that is asked for; so with runs, steps, hosts. [T1] */
  tasks(query: TaskQuery): Promise<Page<TaskView>>;
  /** Knows a task as soon as its first event is acknowledged, though what it shows may lag. [T2] */
  tasksById(ids: readonly string[]): Promise<(TaskView | null)[]>;
  /**
   * Tasks into which an event behind these cursors was folded, oldest change first, at most
   * `limit`. [T3] `at`: where to go on; with `more` not beyond the position of the last task told, [T4]
   * else where the views stood. [T5] Shards that `after` does not name count from the start. [T6]
   */
  tasksChangedSince(
    after: readonly ShardCursor[],
    limit: number,
  ): Promise<{ tasks: TaskView[]; more: boolean; at: ShardCursor[] }>;
  /** Runs and steps by status; percentiles as those of `stepStats`. [T7] */
  taskStats(ids: readonly string[]): Promise<TaskStats[]>;
  /** What is shown is a fold of all events, in whatever order and batches they came. [T8] */
  runs(queries: readonly RunQuery[]): Promise<Page<RunView>[]>;
  runsByKey(keys: readonly RunKey[]): Promise<(RunView | null)[]>;
  steps(queries: readonly StepQuery[]): Promise<Page<StepView>[]>;
  stepsByKey(keys: readonly StepKey[]): Promise<(StepView | null)[]>;
  hosts(query: HostQuery): Promise<Page<HostView>>;
  hostsByName(names: readonly string[]): Promise<(HostView | null)[]>;
  /**
   * The newest OUTPUT lines of each step's highest attempt, oldest first, at most `count` each. [D1]
   * What all of them weigh is bounded (LAST_LINES_BYTES): where that many would be heavier, every
   * step has fewer, its newest. [D2] Throws QUERY_TOO_COMPLEX where one line of each is too
   * much. [D3]
   */
  lastLines(keys: readonly StepKey[], count: number): Promise<StoredEvent[][]>;
  /**
   * Of the numbers that each writer gave, every one up to its greatest must be there; one that was
   * used twice stands for no other. [D4]
   */
  completeness(keys: readonly RunKey[]): Promise<Completeness[]>;
  /** Of the runs that began in [from, to). worstStep: failed most often, of equal ones the first. [D5] */
  reliability(
    hosts: readonly string[],
    from: number | null,
    to: number | null,
  ): Promise<HostReliability[]>;
  /**
   * null: no such task. [S5] Hosts by name, steps as planned and then others by name, as far as a
   * board goes (`domain/fold/board-bounds.ts`). [B2] Throws QUERY_TOO_COMPLEX where all of them are over
   * 32 MiB. [B3]
   */
  matrices(taskIds: readonly string[]): Promise<MatrixAnswer[]>;
  /** null: no such task, or one whose states cannot be understood. [S5] */
  board(taskId: string): Promise<BoardSnapshot | null>;

  // ── aggregations ───────────────────────────────────────────────────────────────────────────
  /**
   * Only steps that began. [G1] At most 1,000 groups, the largest. [G2] Percentiles are durations
   * that occurred, by nearest rank, in whole milliseconds. [G3]
   */
  stepStats(filter: StepFilter, groupBy: StepGroupBy): Promise<StepStats[]>;
  /** Every bucket of the range (`domain/histogram.ts`), by level. [G4] */
  eventHistogram(filter: EventFilter, buckets: number): Promise<EventHistogram>;
  /**
   * Failed and timed-out steps by fingerprint, the largest group first, [G5] of equal ones the
   * latest; names and the sample are the newest. [G6]
   */
  failureGroups(
    queries: readonly { filter: StepFilter; first: number }[],
  ): Promise<FailureGroup[][]>;
  /** Of all that the log has. [G7] */
  eventCount(): Promise<number>;

  // ── housekeeping ───────────────────────────────────────────────────────────────────────────
  /** Tasks not over whose last event was received before this moment: the idle ones. [M1] */
  idleTasks(before: number, limit: number): Promise<{ taskId: string; lastEventAt: number }[]>;
  /**
   * Removes each day when the last event of any task that began on it is older than retention. [M2]
   * The ids of its tasks are expired for as long again, and may then be used anew. [M4] Hosts go that
   * were silent for as long and that no kept task has. [M5] Appends and queries go on meanwhile. [M7]
   */
  applyRetention(): Promise<RetentionReport>;
  /** A consistent copy into a new file while serving; refused where the engine has its own way. [M8] */
  backup(file: string): Promise<void>;
  health(): Promise<StoreHealth>;
  /** Numbers for /metrics, by Prometheus name without the prefix. [M9] */
  metrics(): Record<string, number>;
  close(): Promise<void>;
}

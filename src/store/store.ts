/**
 * The port between Shiplog and its engines. Every comment is a contract that
 * `test/store/contract.ts` holds both engines to.
 *
 * The log is shards of events; a shard's `seq` is dense and in commit order, and what is at or
 * below its head is settled: it is never rolled back, and nothing is ever added below it.
 * Views lag behind the log at most; `viewsReach` waits for them.
 *
 * All read methods take arrays where a page of a list asks the same of each row, so that GraphQL
 * makes one call for all of them; answers are in the order of the questions. Unknown names are
 * null or empty, never an error. Returned values are the caller's. Errors are ShiplogErrors:
 * STORE_UNAVAILABLE (with retryAfterMs), STORE_FULL, QUERY_TIMEOUT. After `close` every call
 * rejects with SHUTTING_DOWN; closing twice is fine.
 */
import type { InputProblem, ShiplogError } from '../domain/errors.ts';
import type { LogEvent, Position, StoredEvent } from '../domain/event.ts';
import type {
  EventFilter,
  HostFilter,
  RunFilter,
  StepFilter,
  TaskFilter,
} from '../domain/filter.ts';
import type { RunState, TaskState } from '../domain/fold.ts';
import type { Page, PageRequest } from '../domain/page.ts';
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
} from '../domain/views.ts';

/** The settings that views depend on; the same for every engine. */
export interface ViewSettings {
  staleAfterMs: number;
  retentionDays: number;
  maxEventsPerTask: number;
  /** Every query stops after this long with QUERY_TIMEOUT. */
  queryTimeoutMs: number;
  now: () => number;
}

export type AppendOutcome =
  | {
      outcome: 'STORED';
      position: Position;
      /** What the engine stamped from the task. */
      service: string | null;
      environment: string | null;
    }
  /** position: of the first copy, where the engine knows it cheaply. */
  | { outcome: 'DUPLICATE'; position: Position | null }
  /** ID_CONFLICT, TASK_EXPIRED, TASK_FULL. */
  | { outcome: 'REJECTED'; problem: InputProblem };

/** Not known to be stored, and not acknowledged: a retry with the same id tells. */
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
 * changed (a restore), so a cursor carries it; `droppedThrough` is the greatest seq that
 * retention has removed (0: none), though events below it may still be there.
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
 * `live`: goes on exactly behind. `dropped`: retention removed the shard; all of it was delivered
 * when the cursor's seq ≥ finalSeq. `unknown`: another history, or no such shard.
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
   * LOG needs filter.taskId, and its page key is [seq]. TIME is by `at`, and events of one
   * millisecond by their seq: in the order of the log within a shard, so of a task; those of
   * different shards in an order that stays the same. Always ascending; `backward` pages give the
   * newest.
   */
  order: EventOrder;
  page: PageRequest;
}
/** `at`: the heads that the page's snapshot could see: a tail from there has no seam. */
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

/** A task's board, and how far its views were. */
export type MatrixAnswer = { matrix: TaskMatrix; at: ShardCursor[] } | null;

/** A task's folded states as of `at`: what a live board starts from. */
export interface BoardSnapshot {
  task: TaskState;
  /** Of the hosts that something was reported of; those only planned are in `task`. */
  runs: RunState[];
  at: ShardCursor[];
}

export interface StoreHealth {
  /** Reads and writes work now. */
  ok: boolean;
  /** For an operator: which part is not well, in words; no secrets. */
  detail: string;
}

export interface RetentionReport {
  removedTasks: number;
  removedEvents: number;
  /** Days (UTC, YYYY-MM-DD) of whose tasks nothing is left. */
  removedDays: string[];
}

export interface Store {
  readonly engine: 'sqlite' | 'elasticsearch';
  /** true: other processes append to the same log, so a follower must poll. */
  readonly shared: boolean;
  /**
   * Resolves with the reason when the store can never write again in this process; nothing that
   * was acknowledged is lost. Mostly it never does.
   */
  readonly failed: Promise<Error>;
  readonly appendLimits: AppendLimits;

  // ── the log ────────────────────────────────────────────────────────────────────────────────
  /**
   * Resolves when every item is decided or given up, and STORED or DUPLICATE items are durable.
   * UNSETTLED are those whose own shard cannot take them now; the others do not wait long for them.
   * Items are in the order of `events`, and events of one call that are STORED take their seqs in that order
   * within a shard. An event whose `id` is already there is DUPLICATE where the `digest` is the
   * same, else ID_CONFLICT; this holds within one call too. One item never harms another. Where it
   * throws, nothing can be taken now and nothing was acknowledged (some may be stored all the same).
   */
  append(events: readonly LogEvent[]): Promise<(AppendOutcome | Unsettled)[]>;

  /**
   * The settled heads of the shards that events of `taskId` are or will be in (a task not known
   * yet: those that it can begin in), or of all shards.
   */
  heads(taskId: string | null): Promise<ShardHead[]>;

  /**
   * Events of one shard with seq in (after, to], that match, at most `limit` of them, and fewer
   * where they are heavy. `to` is at most the settled head. Proven whole: where that cannot be
   * proven now, `through` stops short.
   */
  readLog(
    shard: ShardCursor,
    to: number,
    filter: EventFilter | null,
    limit: number,
  ): Promise<LogSlice>;

  checkCursors(cursors: readonly ShardCursor[]): Promise<CursorCheck[]>;

  /** Resolves when views hold everything at or below these positions. */
  viewsReach(positions: readonly Position[]): Promise<void>;

  /**
   * Resolves when views show everything that this process acknowledged of these tasks before the
   * call: to those who look up by id, and with `searches` to every query. Waits for nothing else,
   * for some seconds at most, and never throws for being behind: resolves to the greatest number
   * of events that the views of a shard of theirs lack, and to 0 where that is of no consequence.
   */
  viewsShow(taskIds: readonly string[], searches: boolean): Promise<number>;

  // ── queries ────────────────────────────────────────────────────────────────────────────────
  /** A page that would be too heavy has fewer rows, and says that there are more. */
  events(queries: readonly EventQuery[]): Promise<EventPage[]>;
  tasks(query: TaskQuery): Promise<Page<TaskView>>;
  /** Knows a task as soon as its first event is acknowledged, though what it shows may lag. */
  tasksById(ids: readonly string[]): Promise<(TaskView | null)[]>;
  /**
   * Tasks into which an event behind these cursors was folded, oldest change first, at most
   * `limit`. `at`: where to go on; with `more` that is the position of the last task told, else
   * where the views stood. Shards that `after` does not name count from the start.
   */
  tasksChangedSince(
    after: readonly ShardCursor[],
    limit: number,
  ): Promise<{ tasks: TaskView[]; more: boolean; at: ShardCursor[] }>;
  taskStats(ids: readonly string[]): Promise<TaskStats[]>;
  runs(queries: readonly RunQuery[]): Promise<Page<RunView>[]>;
  runsByKey(keys: readonly RunKey[]): Promise<(RunView | null)[]>;
  steps(queries: readonly StepQuery[]): Promise<Page<StepView>[]>;
  stepsByKey(keys: readonly StepKey[]): Promise<(StepView | null)[]>;
  hosts(query: HostQuery): Promise<Page<HostView>>;
  hostsByName(names: readonly string[]): Promise<(HostView | null)[]>;
  /**
   * The newest OUTPUT lines of each step's highest attempt, oldest first, at most `count` each.
   * What all of them weigh is bounded (LAST_LINES_BYTES): where that many would be heavier, every
   * step has fewer, its newest. Throws QUERY_TOO_COMPLEX where one line of each is too much.
   */
  lastLines(keys: readonly StepKey[], count: number): Promise<StoredEvent[][]>;
  completeness(keys: readonly RunKey[]): Promise<Completeness[]>;
  reliability(
    hosts: readonly string[],
    from: number | null,
    to: number | null,
  ): Promise<HostReliability[]>;
  /**
   * null: no such task. Hosts by name, steps as planned and then others by name, as far as a board
   * goes (`domain/matrix.ts`). Throws QUERY_TOO_COMPLEX where all of them are over 32 MiB.
   */
  matrices(taskIds: readonly string[]): Promise<MatrixAnswer[]>;
  board(taskId: string): Promise<BoardSnapshot | null>;

  // ── aggregations ───────────────────────────────────────────────────────────────────────────
  /** Only steps that began. At most 1,000 groups, the largest. Percentiles: of durationMs. */
  stepStats(filter: StepFilter, groupBy: StepGroupBy): Promise<StepStats[]>;
  eventHistogram(filter: EventFilter, buckets: number): Promise<EventHistogram>;
  /** Failed and timed-out steps by fingerprint, the largest group first. */
  failureGroups(
    queries: readonly { filter: StepFilter; first: number }[],
  ): Promise<FailureGroup[][]>;
  eventCount(): Promise<number>;

  // ── housekeeping ───────────────────────────────────────────────────────────────────────────
  /** Tasks not over whose last event was received before this moment: the idle ones. */
  idleTasks(before: number, limit: number): Promise<{ taskId: string; lastEventAt: number }[]>;
  applyRetention(): Promise<RetentionReport>;
  /** A consistent copy into a new file while serving; refused where the engine has its own way. */
  backup(file: string): Promise<void>;
  health(): Promise<StoreHealth>;
  /** Numbers for /metrics, by Prometheus name without the prefix. */
  metrics(): Record<string, number>;
  close(): Promise<void>;
}

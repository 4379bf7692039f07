/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { JsonObject } from '../../domain/event/event.ts';
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Which events. All fields that are given must match; of a list, one value has to. An empty list or null restricts nothing. At most 1,000 values in a list. The cursor of a tail is of use with the same filter only. */
export type EventFilter = {
  /** Numbers of attempts, from 1. */
  attempts?: Array<number> | null | undefined;
  /** The task's environment, exactly. */
  environments?: Array<string> | null | undefined;
  /** Only those whose `at` is this moment or later. */
  from?: string | null | undefined;
  /** Names of hosts, exactly; one that ends in `*` stands for every name that begins like it. TASK events have no host. */
  hosts?: Array<string> | null | undefined;
  /** Events of these kinds. */
  kinds?: Array<EventKind> | null | undefined;
  /** Only what has all of these labels. */
  labels?: Array<LabelFilter> | null | undefined;
  /** Exactly these levels. */
  levels?: Array<LogLevel> | null | undefined;
  /** This level or a more severe one. */
  minLevel?: LogLevel | null | undefined;
  /** Words that must all be there: `word`, `"a phrase"`, `prefix*`, `-not`; at most 32 terms and 1,000 characters. A syntax error is SEARCH_SYNTAX and names the column. Looks at message, command and error; `level: host: step: status: service: environment: source: stream:` look at those fields, for example `level:error host:web-1*`. */
  search?: string | null | undefined;
  /** The task's service, exactly. */
  services?: Array<string> | null | undefined;
  /** Sources (who reported), exactly. */
  sources?: Array<string> | null | undefined;
  /** STEP events with these statuses. */
  statuses?: Array<StepStatus> | null | undefined;
  /** Names of steps, exactly. */
  steps?: Array<string> | null | undefined;
  /** Lines of these output streams. */
  streams?: Array<LogStream> | null | undefined;
  /** Only of this task. */
  taskId?: string | null | undefined;
  /** Only those whose `at` is before this moment, which must be later than `from`. */
  to?: string | null | undefined;
};

/** What an event reports. */
export type EventKind =
  /** A line that a step printed, or a note about it. */
  | 'OUTPUT'
  /** How far a step has come. */
  | 'PROGRESS'
  /** A step began or ended: it carries a status. */
  | 'STEP'
  /** A task began, was changed, ended or went idle. Has no host and no step. */
  | 'TASK';

/** What became of one reported event. */
export type EventOutcome =
  /** The same event was stored before; a retry counts once. As good as STORED. */
  | 'DUPLICATE'
  /** Cannot be taken, now or on a retry: `error` says why. Its neighbours are not affected. */
  | 'REJECTED'
  /** Durable now. */
  | 'STORED';

/** How a task ended. */
export type FinishTaskInput = {
  /** When it happened, on the sender's clock. Default: when it is received. The same stands in for the time of a clock that was never set (before 2000, or the unset time of a language); the event then says atReplaced. Epoch seconds are refused. */
  at?: string | null | undefined;
  /** The release system's id. At most 256 characters. */
  id: string;
  /** A remark on how it ended; secrets are redacted. At most 65,536 characters. */
  message?: string | null | undefined;
  /** SUCCEEDED, PARTIAL, FAILED or CANCELLED. Absent: derived from its runs. */
  status?: TaskStatus | null | undefined;
};

/** A label with a value. */
export type LabelFilter = {
  /** The name of the label, exactly. */
  key: string;
  /** Its value as text, exactly; numbers and booleans are compared as they print. */
  value: string;
};

/** Severity of an event, from the least to the most severe: TRACE, DEBUG, INFO, WARN, ERROR, FATAL. */
export type LogLevel =
  /** Detail for developers. */
  | 'DEBUG'
  /** A failure; the default of a failed or timed-out step. */
  | 'ERROR'
  /** A failure that ended the process. */
  | 'FATAL'
  /** Normal progress; the default of an event that did not fail. */
  | 'INFO'
  /** Finest detail. */
  | 'TRACE'
  /** Unexpected and survivable; the default of a cancelled step. */
  | 'WARN';

/** Which output stream of a command printed a line. */
export type LogStream =
  /** Standard error. */
  | 'STDERR'
  /** Standard output. */
  | 'STDOUT';

/** How far a step has come. */
export type ProgressInput = {
  /** How much is done, in `unit`; not negative. */
  done: number;
  /** How much there is to do, in `unit`; not negative. Absent: not known. */
  total?: number | null | undefined;
  /** What is counted: `MiB`, `files`, … At most 64 characters. */
  unit?: string | null | undefined;
};

/** What is declared about a task. A field that is absent or null keeps the value that it had. */
export type StartTaskInput = {
  /** When it happened, on the sender's clock. Default: when it is received. The same stands in for the time of a clock that was never set (before 2000, or the unset time of a language); the event then says atReplaced. Epoch seconds are refused. */
  at?: string | null | undefined;
  /** Who or what starts it. At most 256 characters. */
  createdBy?: string | null | undefined;
  /** Where it is deployed to, such as `production`. At most 256 characters. */
  environment?: string | null | undefined;
  /** How many hosts it is for, if they are not named: 0 to 100,000. The task ends when that many hosts have ended. */
  expectedHosts?: number | null | undefined;
  /** The names of the hosts that it is for, at most 10,000; they are PENDING until they report. A name that no host can have is left out, and is told in `leftOut`. A name with `*` in it refuses the whole declaration, for it is not clear which hosts are meant. */
  hosts?: Array<string> | null | undefined;
  /** The release system's id. At most 256 characters. */
  id: string;
  /** Flat labels: texts (up to 1,024 characters), numbers and booleans; at most 64, keys up to 128 characters. */
  labels?: JsonObject | null | undefined;
  /** The steps in order, each once: 1 to 100. Default: backup, download, unpack, env-init, nginx-offline, service-start, nginx-online. */
  plan?: Array<string> | null | undefined;
  /** What is deployed. At most 256 characters. */
  service?: string | null | undefined;
  /** A title for people. At most 1,024 characters. */
  title?: string | null | undefined;
  /** Which version. At most 256 characters. */
  version?: string | null | undefined;
};

/** Why a step did not succeed. */
export type StepErrorInput = {
  /** A code for grouping and filters. At most 256 characters. */
  code?: string | null | undefined;
  /** The reason in words; secrets are redacted. At most 32,768 characters. */
  message: string;
};

/** One event about a step on a host. It must say something: a status, a message, progress, a command, params, an exit code, a duration or an error. null is the same as absent. Characters are UTF-16 units. */
export type StepEventInput = {
  /** When it happened, on the sender's clock. Default: when it is received. The same stands in for the time of a clock that was never set (before 2000, or the unset time of a language); the event then says atReplaced. Epoch seconds are refused. */
  at?: string | null | undefined;
  /** Which attempt of the step on this host, from 1 to 10,000: a step that is run again in the same task has a higher one. */
  attempt?: number | null | undefined;
  /** The command line; secrets are redacted. At most 32,768 characters. */
  command?: string | null | undefined;
  /** How long it took in milliseconds, by the reporter's own clock; not negative. */
  durationMs?: number | null | undefined;
  /** Why the step did not succeed. */
  error?: StepErrorInput | null | undefined;
  /** Chosen by the sender, unique within its task; makes a retry safe. Recommended: UUIDv7 or ULID. At most 128 characters. Absent: writer and sequence identify the event; without them a retry may count twice. */
  eventId?: string | null | undefined;
  /** Exit code, 32 bits. An unsigned one of Windows may be sent in a variable, and is kept as a signed number. */
  exitCode?: number | null | undefined;
  /** The host's name; must not hold `*`. At most 255 characters. */
  host: string;
  /** Flat labels: texts (up to 1,024 characters), numbers and booleans; at most 64, keys up to 128 characters. */
  labels?: JsonObject | null | undefined;
  /** Severity. Default: ERROR with FAILED and TIMED_OUT, WARN with CANCELLED, else INFO. */
  level?: LogLevel | null | undefined;
  /** Text; secrets are redacted. At most 65,536 characters. */
  message?: string | null | undefined;
  /** Parameters of the command; secrets are redacted. At most 16 KiB of JSON, 256 keys, 8 levels. */
  params?: JsonObject | null | undefined;
  /** How far the step has come. */
  progress?: ProgressInput | null | undefined;
  /** Its number among the events of this writer for this task and host, from 1 without holes: it proves that none is missing, and gives their order. Needs writer. */
  sequence?: number | null | undefined;
  /** Who reports, such as `release-service` or `agent/1.4.2`. At most 128 characters. */
  source?: string | null | undefined;
  /** RUNNING, or a terminal status. Absent: a log line or progress. */
  status?: StepStatus | null | undefined;
  /** The step's name, from the plan or any other. At most 128 characters. */
  step: string;
  /** Which output stream printed the line. */
  stream?: LogStream | null | undefined;
  /** The release system's id of the deployment. At most 256 characters. */
  taskId: string;
  /** One reporting process, for example a UUID made at its start. With sequence it identifies the event where no eventId is given. At most 128 characters. */
  writer?: string | null | undefined;
};

/** The status of a step on one host. Senders report RUNNING or a terminal status. */
export type StepStatus =
  /** Stopped by somebody. Terminal. */
  | 'CANCELLED'
  /** Ended with an error. Terminal. */
  | 'FAILED'
  /** Planned, and never begun when the task was over. A conclusion of the server, never reported. */
  | 'NOT_RUN'
  /** Planned and not begun. A conclusion of the server, never reported. */
  | 'PENDING'
  /** Begun and not ended. */
  | 'RUNNING'
  /** Left out on purpose; counts as done. Terminal. */
  | 'SKIPPED'
  /** Ended well. Terminal. */
  | 'SUCCEEDED'
  /** Given up after too long; counts as failed. Terminal. */
  | 'TIMED_OUT';

/** Which tasks. All fields that are given must match; of a list, one value has to. An empty list or null restricts nothing. At most 1,000 values in a list. */
export type TaskFilter = {
  /** Who started them. */
  createdBy?: Array<string> | null | undefined;
  /** Their environment. */
  environments?: Array<string> | null | undefined;
  /** Only those whose createdAt is this moment or later. */
  from?: string | null | undefined;
  /** Tasks that have a run on this host; a name that ends in `*` stands for every name that begins like it. */
  host?: string | null | undefined;
  /** Ids of tasks, exactly. */
  ids?: Array<string> | null | undefined;
  /** Only what has all of these labels. */
  labels?: Array<LabelFilter> | null | undefined;
  /** Words that must all be there: `word`, `"a phrase"`, `prefix*`, `-not`; at most 32 terms and 1,000 characters. A syntax error is SEARCH_SYNTAX and names the column. Looks at id, title, service, version, environment and createdBy. */
  search?: string | null | undefined;
  /** Their service. */
  services?: Array<string> | null | undefined;
  /** Their status. */
  statuses?: Array<TaskStatus> | null | undefined;
  /** Only those whose createdAt is before this moment, which must be later than `from`. */
  to?: string | null | undefined;
  /** Their version. */
  versions?: Array<string> | null | undefined;
};

/** The status of a task: the one given to finishTask, else derived from its runs when all expected hosts have ended or the task was idle for too long. */
export type TaskStatus =
  /** Over; stopped before any host succeeded or failed. */
  | 'CANCELLED'
  /** Over; no host succeeded and some failed. */
  | 'FAILED'
  /** Over; some hosts succeeded and some did not. */
  | 'PARTIAL'
  /** Declared; no step has begun on any host. */
  | 'PENDING'
  /** Some host has begun and the task is not over. */
  | 'RUNNING'
  /** Over; every host succeeded. */
  | 'SUCCEEDED';

export type ExportTasksQueryVariables = Exact<{
  filter?: TaskFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type ExportTasksQuery = { tasks: { nodes: Array<{ id: string, lastEventAt: string | null }>, edges: Array<{ cursor: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ExportEventsQueryVariables = Exact<{
  filter: EventFilter;
  after?: string | null | undefined;
}>;


export type ExportEventsQuery = { events: { nodes: Array<{ taskChange: JsonObject | null, id: string, eventId: string, kind: EventKind, taskId: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, at: string, receivedAt: string, writer: string | null, sequence: number | null, service: string | null, environment: string | null, message: string | null, level: LogLevel, stream: LogStream | null, command: string | null, params: JsonObject | null, exitCode: number | null, durationMs: number | null, source: string | null, labels: JsonObject, position: string, progress: { done: number, total: number | null, unit: string | null } | null, error: { code: string | null, message: string } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type FinishTaskMutationVariables = Exact<{
  input: FinishTaskInput;
}>;


export type FinishTaskMutation = { finishTask: { task: { id: string, service: string | null, version: string | null, environment: string | null, title: string | null, status: TaskStatus, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, stale: boolean, expectedHosts: number | null } } };

export type LogStepsMutationVariables = Exact<{
  inputs: Array<StepEventInput> | StepEventInput;
}>;


export type LogStepsMutation = { logSteps: { stored: number, duplicates: number, rejected: number, results: Array<{ index: number, eventId: string | null, outcome: EventOutcome, error: { code: string, message: string, field: string | null } | null }> } };

export type LogsQueryVariables = Exact<{
  filter: EventFilter;
  after?: string | null | undefined;
}>;


export type LogsQuery = { events: { nodes: Array<{ id: string, eventId: string, kind: EventKind, taskId: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, at: string, receivedAt: string, writer: string | null, sequence: number | null, service: string | null, environment: string | null, message: string | null, level: LogLevel, stream: LogStream | null, command: string | null, params: JsonObject | null, exitCode: number | null, durationMs: number | null, source: string | null, labels: JsonObject, position: string, progress: { done: number, total: number | null, unit: string | null } | null, error: { code: string | null, message: string } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type LogsTaskQueryVariables = Exact<{
  id: string;
}>;


export type LogsTaskQuery = { task: { id: string, matrix: { hosts: Array<string>, steps: Array<string>, cells: string } } | null };

export type SearchQueryVariables = Exact<{
  filter: EventFilter;
  last?: number | null | undefined;
}>;


export type SearchQuery = { events: { totalCount: number | null, totalCountIsExact: boolean, nodes: Array<{ id: string, eventId: string, kind: EventKind, taskId: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, at: string, receivedAt: string, writer: string | null, sequence: number | null, service: string | null, environment: string | null, message: string | null, level: LogLevel, stream: LogStream | null, command: string | null, params: JsonObject | null, exitCode: number | null, durationMs: number | null, source: string | null, labels: JsonObject, position: string, highlights: Array<{ start: number, end: number }>, progress: { done: number, total: number | null, unit: string | null } | null, error: { code: string | null, message: string } | null }>, pageInfo: { hasPreviousPage: boolean } } };

export type ServerKeepsQueryVariables = Exact<{ [key: string]: never; }>;


export type ServerKeepsQuery = { server: { retentionDays: number } };

export type StartTaskMutationVariables = Exact<{
  input: StartTaskInput;
}>;


export type StartTaskMutation = { startTask: { created: boolean, leftOut: Array<{ field: string | null, message: string }>, task: { id: string, service: string | null, version: string | null, environment: string | null, title: string | null, status: TaskStatus, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, stale: boolean, expectedHosts: number | null } } };

export type TailSubscriptionVariables = Exact<{
  filter: EventFilter;
  after?: string | null | undefined;
  last?: number | null | undefined;
}>;


export type TailSubscription = { tail: { cursor: string, caughtUp: boolean, events: Array<{ id: string, eventId: string, kind: EventKind, taskId: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, at: string, receivedAt: string, writer: string | null, sequence: number | null, service: string | null, environment: string | null, message: string | null, level: LogLevel, stream: LogStream | null, command: string | null, params: JsonObject | null, exitCode: number | null, durationMs: number | null, source: string | null, labels: JsonObject, position: string, progress: { done: number, total: number | null, unit: string | null } | null, error: { code: string | null, message: string } | null }>, gap: { reason: string, from: string | null, to: string | null } | null } };

export type TailBatchFragment = { cursor: string, caughtUp: boolean, events: Array<{ id: string, eventId: string, kind: EventKind, taskId: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, at: string, receivedAt: string, writer: string | null, sequence: number | null, service: string | null, environment: string | null, message: string | null, level: LogLevel, stream: LogStream | null, command: string | null, params: JsonObject | null, exitCode: number | null, durationMs: number | null, source: string | null, labels: JsonObject, position: string, progress: { done: number, total: number | null, unit: string | null } | null, error: { code: string | null, message: string } | null }>, gap: { reason: string, from: string | null, to: string | null } | null };

export type EventRowFragment = { id: string, eventId: string, kind: EventKind, taskId: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, at: string, receivedAt: string, writer: string | null, sequence: number | null, service: string | null, environment: string | null, message: string | null, level: LogLevel, stream: LogStream | null, command: string | null, params: JsonObject | null, exitCode: number | null, durationMs: number | null, source: string | null, labels: JsonObject, position: string, progress: { done: number, total: number | null, unit: string | null } | null, error: { code: string | null, message: string } | null };

export type TaskBoardQueryVariables = Exact<{
  id: string;
  lines?: number | null | undefined;
}>;


export type TaskBoardQuery = { task: { plan: Array<string>, id: string, service: string | null, version: string | null, environment: string | null, title: string | null, status: TaskStatus, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, stale: boolean, expectedHosts: number | null, stepSummaries: Array<{ step: string, pending: number, running: number, succeeded: number, failed: number, skipped: number, timedOut: number, cancelled: number, notRun: number, p50Ms: number | null, p95Ms: number | null, maxMs: number | null }>, matrix: { steps: Array<string>, hosts: Array<string>, cells: string }, failureGroups: Array<{ message: string, count: number, hostCount: number, hosts: Array<string>, steps: Array<string>, sample: { hostName: string, name: string, command: string | null, exitCode: number | null, error: { code: string | null, message: string } | null, lastLines: Array<{ at: string, message: string | null, stream: LogStream | null }> } }>, runCounts: { total: number, pending: number, running: number, succeeded: number, failed: number, cancelled: number, notRun: number, stale: number } } | null };

export type TaskBoardFragment = { plan: Array<string>, id: string, service: string | null, version: string | null, environment: string | null, title: string | null, status: TaskStatus, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, stale: boolean, expectedHosts: number | null, stepSummaries: Array<{ step: string, pending: number, running: number, succeeded: number, failed: number, skipped: number, timedOut: number, cancelled: number, notRun: number, p50Ms: number | null, p95Ms: number | null, maxMs: number | null }>, matrix: { steps: Array<string>, hosts: Array<string>, cells: string }, failureGroups: Array<{ message: string, count: number, hostCount: number, hosts: Array<string>, steps: Array<string>, sample: { hostName: string, name: string, command: string | null, exitCode: number | null, error: { code: string | null, message: string } | null, lastLines: Array<{ at: string, message: string | null, stream: LogStream | null }> } }>, runCounts: { total: number, pending: number, running: number, succeeded: number, failed: number, cancelled: number, notRun: number, stale: number } };

export type StepSummaryFragment = { step: string, pending: number, running: number, succeeded: number, failed: number, skipped: number, timedOut: number, cancelled: number, notRun: number, p50Ms: number | null, p95Ms: number | null, maxMs: number | null };

export type FailureGroupFragment = { message: string, count: number, hostCount: number, hosts: Array<string>, steps: Array<string>, sample: { hostName: string, name: string, command: string | null, exitCode: number | null, error: { code: string | null, message: string } | null, lastLines: Array<{ at: string, message: string | null, stream: LogStream | null }> } };

export type TaskChangedSubscriptionVariables = Exact<{
  id: string;
}>;


export type TaskChangedSubscription = { taskChanged: { id: string, status: TaskStatus, lastEventAt: string | null } };

export type TaskNamesQueryVariables = Exact<{
  id: string;
}>;


export type TaskNamesQuery = { task: { id: string, stepSummaries: Array<{ step: string }> } | null };

export type TasksQueryVariables = Exact<{
  filter?: TaskFilter | null | undefined;
  first?: number | null | undefined;
}>;


export type TasksQuery = { tasks: { totalCount: number | null, nodes: Array<{ id: string, service: string | null, version: string | null, environment: string | null, title: string | null, status: TaskStatus, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, stale: boolean, expectedHosts: number | null, runCounts: { total: number, pending: number, running: number, succeeded: number, failed: number, cancelled: number, notRun: number, stale: number } }>, pageInfo: { hasNextPage: boolean } } };

export type TaskRowFragment = { id: string, service: string | null, version: string | null, environment: string | null, title: string | null, status: TaskStatus, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, stale: boolean, expectedHosts: number | null, runCounts: { total: number, pending: number, running: number, succeeded: number, failed: number, cancelled: number, notRun: number, stale: number } };

export type TaskFactsFragment = { id: string, service: string | null, version: string | null, environment: string | null, title: string | null, status: TaskStatus, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, stale: boolean, expectedHosts: number | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const EventRowFragmentDoc = new TypedDocumentString(`
    fragment EventRow on StepEvent {
  id
  eventId
  kind
  taskId
  hostName
  step
  attempt
  status
  at
  receivedAt
  writer
  sequence
  service
  environment
  message
  level
  stream
  command
  params
  exitCode
  durationMs
  progress {
    done
    total
    unit
  }
  error {
    code
    message
  }
  source
  labels
  position
}
    `, {"fragmentName":"EventRow"}) as unknown as TypedDocumentString<EventRowFragment, unknown>;
export const TailBatchFragmentDoc = new TypedDocumentString(`
    fragment TailBatch on TailBatch {
  events {
    ...EventRow
  }
  cursor
  caughtUp
  gap {
    reason
    from
    to
  }
}
    fragment EventRow on StepEvent {
  id
  eventId
  kind
  taskId
  hostName
  step
  attempt
  status
  at
  receivedAt
  writer
  sequence
  service
  environment
  message
  level
  stream
  command
  params
  exitCode
  durationMs
  progress {
    done
    total
    unit
  }
  error {
    code
    message
  }
  source
  labels
  position
}`, {"fragmentName":"TailBatch"}) as unknown as TypedDocumentString<TailBatchFragment, unknown>;
export const TaskFactsFragmentDoc = new TypedDocumentString(`
    fragment TaskFacts on Task {
  id
  service
  version
  environment
  title
  status
  createdAt
  startedAt
  finishedAt
  durationMs
  lastEventAt
  stale
  expectedHosts
}
    `, {"fragmentName":"TaskFacts"}) as unknown as TypedDocumentString<TaskFactsFragment, unknown>;
export const TaskRowFragmentDoc = new TypedDocumentString(`
    fragment TaskRow on Task {
  ...TaskFacts
  runCounts {
    total
    pending
    running
    succeeded
    failed
    cancelled
    notRun
    stale
  }
}
    fragment TaskFacts on Task {
  id
  service
  version
  environment
  title
  status
  createdAt
  startedAt
  finishedAt
  durationMs
  lastEventAt
  stale
  expectedHosts
}`, {"fragmentName":"TaskRow"}) as unknown as TypedDocumentString<TaskRowFragment, unknown>;
export const StepSummaryFragmentDoc = new TypedDocumentString(`
    fragment StepSummary on StepSummary {
  step
  pending
  running
  succeeded
  failed
  skipped
  timedOut
  cancelled
  notRun
  p50Ms
  p95Ms
  maxMs
}
    `, {"fragmentName":"StepSummary"}) as unknown as TypedDocumentString<StepSummaryFragment, unknown>;
export const FailureGroupFragmentDoc = new TypedDocumentString(`
    fragment FailureGroup on FailureGroup {
  message
  count
  hostCount
  hosts
  steps
  sample {
    hostName
    name
    command
    exitCode
    error {
      code
      message
    }
    lastLines(count: $lines) {
      at
      message
      stream
    }
  }
}
    `, {"fragmentName":"FailureGroup"}) as unknown as TypedDocumentString<FailureGroupFragment, unknown>;
export const TaskBoardFragmentDoc = new TypedDocumentString(`
    fragment TaskBoard on Task {
  ...TaskRow
  plan
  stepSummaries {
    ...StepSummary
  }
  matrix {
    steps
    hosts
    cells
  }
  failureGroups {
    ...FailureGroup
  }
}
    fragment StepSummary on StepSummary {
  step
  pending
  running
  succeeded
  failed
  skipped
  timedOut
  cancelled
  notRun
  p50Ms
  p95Ms
  maxMs
}
fragment FailureGroup on FailureGroup {
  message
  count
  hostCount
  hosts
  steps
  sample {
    hostName
    name
    command
    exitCode
    error {
      code
      message
    }
    lastLines(count: $lines) {
      at
      message
      stream
    }
  }
}
fragment TaskRow on Task {
  ...TaskFacts
  runCounts {
    total
    pending
    running
    succeeded
    failed
    cancelled
    notRun
    stale
  }
}
fragment TaskFacts on Task {
  id
  service
  version
  environment
  title
  status
  createdAt
  startedAt
  finishedAt
  durationMs
  lastEventAt
  stale
  expectedHosts
}`, {"fragmentName":"TaskBoard"}) as unknown as TypedDocumentString<TaskBoardFragment, unknown>;
export const ExportTasksDocument = new TypedDocumentString(`
    query ExportTasks($filter: TaskFilter, $after: String) {
  tasks(filter: $filter, orderBy: CREATED_ASC, first: 500, after: $after) {
    nodes {
      id
      lastEventAt
    }
    edges {
      cursor
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<ExportTasksQuery, ExportTasksQueryVariables>;
export const ExportEventsDocument = new TypedDocumentString(`
    query ExportEvents($filter: EventFilter!, $after: String) {
  events(filter: $filter, order: LOG, first: 1000, after: $after) {
    nodes {
      ...EventRow
      taskChange
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment EventRow on StepEvent {
  id
  eventId
  kind
  taskId
  hostName
  step
  attempt
  status
  at
  receivedAt
  writer
  sequence
  service
  environment
  message
  level
  stream
  command
  params
  exitCode
  durationMs
  progress {
    done
    total
    unit
  }
  error {
    code
    message
  }
  source
  labels
  position
}`) as unknown as TypedDocumentString<ExportEventsQuery, ExportEventsQueryVariables>;
export const FinishTaskDocument = new TypedDocumentString(`
    mutation FinishTask($input: FinishTaskInput!) {
  finishTask(input: $input) {
    task {
      ...TaskFacts
    }
  }
}
    fragment TaskFacts on Task {
  id
  service
  version
  environment
  title
  status
  createdAt
  startedAt
  finishedAt
  durationMs
  lastEventAt
  stale
  expectedHosts
}`) as unknown as TypedDocumentString<FinishTaskMutation, FinishTaskMutationVariables>;
export const LogStepsDocument = new TypedDocumentString(`
    mutation LogSteps($inputs: [StepEventInput!]!) {
  logSteps(inputs: $inputs) {
    stored
    duplicates
    rejected
    results {
      index
      eventId
      outcome
      error {
        code
        message
        field
      }
    }
  }
}
    `) as unknown as TypedDocumentString<LogStepsMutation, LogStepsMutationVariables>;
export const LogsDocument = new TypedDocumentString(`
    query Logs($filter: EventFilter!, $after: String) {
  events(filter: $filter, order: LOG, first: 1000, after: $after) {
    nodes {
      ...EventRow
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment EventRow on StepEvent {
  id
  eventId
  kind
  taskId
  hostName
  step
  attempt
  status
  at
  receivedAt
  writer
  sequence
  service
  environment
  message
  level
  stream
  command
  params
  exitCode
  durationMs
  progress {
    done
    total
    unit
  }
  error {
    code
    message
  }
  source
  labels
  position
}`) as unknown as TypedDocumentString<LogsQuery, LogsQueryVariables>;
export const LogsTaskDocument = new TypedDocumentString(`
    query LogsTask($id: ID!) {
  task(id: $id) {
    id
    matrix {
      hosts
      steps
      cells
    }
  }
}
    `) as unknown as TypedDocumentString<LogsTaskQuery, LogsTaskQueryVariables>;
export const SearchDocument = new TypedDocumentString(`
    query Search($filter: EventFilter!, $last: Int) {
  events(filter: $filter, order: TIME, last: $last) {
    nodes {
      ...EventRow
      highlights {
        start
        end
      }
    }
    totalCount
    totalCountIsExact
    pageInfo {
      hasPreviousPage
    }
  }
}
    fragment EventRow on StepEvent {
  id
  eventId
  kind
  taskId
  hostName
  step
  attempt
  status
  at
  receivedAt
  writer
  sequence
  service
  environment
  message
  level
  stream
  command
  params
  exitCode
  durationMs
  progress {
    done
    total
    unit
  }
  error {
    code
    message
  }
  source
  labels
  position
}`) as unknown as TypedDocumentString<SearchQuery, SearchQueryVariables>;
export const ServerKeepsDocument = new TypedDocumentString(`
    query ServerKeeps {
  server {
    retentionDays
  }
}
    `) as unknown as TypedDocumentString<ServerKeepsQuery, ServerKeepsQueryVariables>;
export const StartTaskDocument = new TypedDocumentString(`
    mutation StartTask($input: StartTaskInput!) {
  startTask(input: $input) {
    created
    leftOut {
      field
      message
    }
    task {
      ...TaskFacts
    }
  }
}
    fragment TaskFacts on Task {
  id
  service
  version
  environment
  title
  status
  createdAt
  startedAt
  finishedAt
  durationMs
  lastEventAt
  stale
  expectedHosts
}`) as unknown as TypedDocumentString<StartTaskMutation, StartTaskMutationVariables>;
export const TailDocument = new TypedDocumentString(`
    subscription Tail($filter: EventFilter!, $after: String, $last: Int) {
  tail(filter: $filter, after: $after, last: $last) {
    ...TailBatch
  }
}
    fragment TailBatch on TailBatch {
  events {
    ...EventRow
  }
  cursor
  caughtUp
  gap {
    reason
    from
    to
  }
}
fragment EventRow on StepEvent {
  id
  eventId
  kind
  taskId
  hostName
  step
  attempt
  status
  at
  receivedAt
  writer
  sequence
  service
  environment
  message
  level
  stream
  command
  params
  exitCode
  durationMs
  progress {
    done
    total
    unit
  }
  error {
    code
    message
  }
  source
  labels
  position
}`) as unknown as TypedDocumentString<TailSubscription, TailSubscriptionVariables>;
export const TaskBoardDocument = new TypedDocumentString(`
    query TaskBoard($id: ID!, $lines: Int) {
  task(id: $id) {
    ...TaskBoard
  }
}
    fragment TaskBoard on Task {
  ...TaskRow
  plan
  stepSummaries {
    ...StepSummary
  }
  matrix {
    steps
    hosts
    cells
  }
  failureGroups {
    ...FailureGroup
  }
}
fragment StepSummary on StepSummary {
  step
  pending
  running
  succeeded
  failed
  skipped
  timedOut
  cancelled
  notRun
  p50Ms
  p95Ms
  maxMs
}
fragment FailureGroup on FailureGroup {
  message
  count
  hostCount
  hosts
  steps
  sample {
    hostName
    name
    command
    exitCode
    error {
      code
      message
    }
    lastLines(count: $lines) {
      at
      message
      stream
    }
  }
}
fragment TaskRow on Task {
  ...TaskFacts
  runCounts {
    total
    pending
    running
    succeeded
    failed
    cancelled
    notRun
    stale
  }
}
fragment TaskFacts on Task {
  id
  service
  version
  environment
  title
  status
  createdAt
  startedAt
  finishedAt
  durationMs
  lastEventAt
  stale
  expectedHosts
}`) as unknown as TypedDocumentString<TaskBoardQuery, TaskBoardQueryVariables>;
export const TaskChangedDocument = new TypedDocumentString(`
    subscription TaskChanged($id: ID!) {
  taskChanged(id: $id) {
    id
    status
    lastEventAt
  }
}
    `) as unknown as TypedDocumentString<TaskChangedSubscription, TaskChangedSubscriptionVariables>;
export const TaskNamesDocument = new TypedDocumentString(`
    query TaskNames($id: ID!) {
  task(id: $id) {
    id
    stepSummaries {
      step
    }
  }
}
    `) as unknown as TypedDocumentString<TaskNamesQuery, TaskNamesQueryVariables>;
export const TasksDocument = new TypedDocumentString(`
    query Tasks($filter: TaskFilter, $first: Int) {
  tasks(filter: $filter, first: $first) {
    nodes {
      ...TaskRow
    }
    totalCount
    pageInfo {
      hasNextPage
    }
  }
}
    fragment TaskRow on Task {
  ...TaskFacts
  runCounts {
    total
    pending
    running
    succeeded
    failed
    cancelled
    notRun
    stale
  }
}
fragment TaskFacts on Task {
  id
  service
  version
  environment
  title
  status
  createdAt
  startedAt
  finishedAt
  durationMs
  lastEventAt
  stale
  expectedHosts
}`) as unknown as TypedDocumentString<TasksQuery, TasksQueryVariables>;

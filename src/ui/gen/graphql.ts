/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
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

/** Which hosts. All fields that are given must match; of a list, one value has to. An empty list or null restricts nothing. At most 1,000 values in a list. */
export type HostFilter = {
  /** Only what has all of these labels. */
  labels?: Array<LabelFilter> | null | undefined;
  /** Names that begin with this text. */
  namePrefix?: string | null | undefined;
  /** Names of hosts, exactly; one that ends in `*` stands for every name that begins like it. */
  names?: Array<string> | null | undefined;
  /** Hosts whose lastSeenAt is this moment or later. */
  seenSince?: string | null | undefined;
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

/** Which runs (one task on one host). All fields that are given must match; of a list, one value has to. An empty list or null restricts nothing. At most 1,000 values in a list. */
export type RunFilter = {
  /** The task's environment, exactly. */
  environments?: Array<string> | null | undefined;
  /** Runs in which this step failed or timed out. */
  failedStep?: string | null | undefined;
  /** Only those whose startedAt is this moment or later. Runs that have not begun are left out. */
  from?: string | null | undefined;
  /** Names of hosts, exactly; one that ends in `*` stands for every name that begins like it. */
  hosts?: Array<string> | null | undefined;
  /** Only runs whose host is out of rotation (see Run.outOfRotationSince), or only the others. */
  outOfRotation?: boolean | null | undefined;
  /** The task's service, exactly. */
  services?: Array<string> | null | undefined;
  /** Only runs that are stale, or only runs that are not. */
  stale?: boolean | null | undefined;
  /** Statuses of the run. */
  statuses?: Array<RunStatus> | null | undefined;
  /** Only of this task. */
  taskId?: string | null | undefined;
  /** Only those whose startedAt is before this moment, which must be later than `from`. Runs that have not begun are left out. */
  to?: string | null | undefined;
  /** The task's version, exactly. */
  versions?: Array<string> | null | undefined;
};

/** The status of one task on one host. */
export type RunStatus =
  /** A step was cancelled, or the task ended while this host was half-way. */
  | 'CANCELLED'
  /** The latest attempt of a step failed or timed out. */
  | 'FAILED'
  /** The task is over and no step began on this host. */
  | 'NOT_RUN'
  /** No step has begun. */
  | 'PENDING'
  /** Some step has begun, and not every planned step is done. */
  | 'RUNNING'
  /** Every planned step succeeded or was skipped. */
  | 'SUCCEEDED';

/** Which steps. All fields that are given must match; of a list, one value has to. An empty list or null restricts nothing. At most 1,000 values in a list. */
export type StepFilter = {
  /** The task's environment, exactly. */
  environments?: Array<string> | null | undefined;
  /** Failed with this error code, exactly. */
  errorCode?: string | null | undefined;
  /** Only those whose startedAt is this moment or later. Steps that have not begun are left out. */
  from?: string | null | undefined;
  /** Names of hosts, exactly; one that ends in `*` stands for every name that begins like it. */
  hosts?: Array<string> | null | undefined;
  /** At least this long, in milliseconds. Not negative. */
  minDurationMs?: number | null | undefined;
  /** The task's service, exactly. */
  services?: Array<string> | null | undefined;
  /** Statuses of the step: of its latest attempt. */
  statuses?: Array<StepStatus> | null | undefined;
  /** Names of steps, exactly. */
  steps?: Array<string> | null | undefined;
  /** Only of this task. */
  taskId?: string | null | undefined;
  /** Only those whose startedAt is before this moment, which must be later than `from`. Steps that have not begun are left out. */
  to?: string | null | undefined;
  /** The task's version, exactly. */
  versions?: Array<string> | null | undefined;
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

export type DeploymentChangedSubscriptionVariables = Exact<{
  id: string;
}>;


export type DeploymentChangedSubscription = { taskChanged: { id: string, status: TaskStatus, stale: boolean, service: string | null, version: string | null, environment: string | null, title: string | null, message: string | null, createdBy: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, expectedHosts: number | null, plan: Array<string>, runCounts: { total: number, succeeded: number, failed: number, running: number, pending: number, cancelled: number, notRun: number, stale: number } } };

export type DeploymentHeadFragment = { id: string, status: TaskStatus, stale: boolean, service: string | null, version: string | null, environment: string | null, title: string | null, message: string | null, createdBy: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, expectedHosts: number | null, plan: Array<string>, runCounts: { total: number, succeeded: number, failed: number, running: number, pending: number, cancelled: number, notRun: number, stale: number } };

export type DeploymentSummaryQueryVariables = Exact<{
  id: string;
}>;


export type DeploymentSummaryQuery = { task: { finishedAt: string | null, failureGroups: Array<{ fingerprint: string, message: string, count: number, hostCount: number, hosts: Array<string>, steps: Array<string>, sample: { hostName: string, name: string, exitCode: number | null, command: string | null, error: { code: string | null, message: string } | null } }>, stepSummaries: Array<{ step: string, p50Ms: number | null, p95Ms: number | null }>, runs: { nodes: Array<{ hostName: string, outOfRotationSince: string | null }> } } | null };

export type FailureCauseFragment = { fingerprint: string, message: string, count: number, hostCount: number, hosts: Array<string>, steps: Array<string>, sample: { hostName: string, name: string, exitCode: number | null, command: string | null, error: { code: string | null, message: string } | null } };

export type BoardNowQueryVariables = Exact<{
  id: string;
}>;


export type BoardNowQuery = { task: { matrix: { steps: Array<string>, hosts: Array<string>, cells: string, cursor: string } } | null };

export type BoardChangedSubscriptionVariables = Exact<{
  id: string;
  after?: string | null | undefined;
}>;


export type BoardChangedSubscription = { runsChanged: { cursor: string, snapshot: { steps: Array<string>, hosts: Array<string>, cells: string } | null, changed: Array<{ hostName: string, steps: Array<{ name: string, status: StepStatus, stale: boolean }> }> } };

export type HostNotesQueryVariables = Exact<{
  id: string;
  hosts?: Array<string> | string | null | undefined;
}>;


export type HostNotesQuery = { task: { runs: { nodes: Array<{ hostName: string, durationMs: number | null, outOfRotationSince: string | null, steps: Array<{ status: StepStatus, error: { message: string } | null }> }> } } | null };

export type FailureEventQueryVariables = Exact<{
  filter: EventFilter;
}>;


export type FailureEventQuery = { events: { edges: Array<{ cursor: string, node: { hostName: string | null, step: string | null, attempt: number | null, error: { message: string } | null } }> } };

export type DeploymentsQueryVariables = Exact<{
  filter?: TaskFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type DeploymentsQuery = { tasks: { totalCount: number | null, totalCountIsExact: boolean, nodes: Array<{ id: string, status: TaskStatus, stale: boolean, service: string | null, version: string | null, environment: string | null, title: string | null, createdBy: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, runCounts: { total: number, succeeded: number, failed: number, running: number, pending: number, cancelled: number, notRun: number, stale: number }, failureGroups: Array<{ fingerprint: string, message: string, hostCount: number }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type DeploymentsCountQueryVariables = Exact<{
  filter?: TaskFilter | null | undefined;
}>;


export type DeploymentsCountQuery = { tasks: { totalCount: number | null, totalCountIsExact: boolean } };

export type DeploymentsChangedSubscriptionVariables = Exact<{
  filter?: TaskFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type DeploymentsChangedSubscription = { tasksChanged: { cursor: string, caughtUp: boolean, tasks: Array<{ id: string, status: TaskStatus, stale: boolean, service: string | null, version: string | null, environment: string | null, title: string | null, createdBy: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, runCounts: { total: number, succeeded: number, failed: number, running: number, pending: number, cancelled: number, notRun: number, stale: number }, failureGroups: Array<{ fingerprint: string, message: string, hostCount: number }> }> } };

export type DeploymentRowFragment = { id: string, status: TaskStatus, stale: boolean, service: string | null, version: string | null, environment: string | null, title: string | null, createdBy: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, runCounts: { total: number, succeeded: number, failed: number, running: number, pending: number, cancelled: number, notRun: number, stale: number }, failureGroups: Array<{ fingerprint: string, message: string, hostCount: number }> };

export type DeploymentFacetsQueryVariables = Exact<{ [key: string]: never; }>;


export type DeploymentFacetsQuery = { tasks: { nodes: Array<{ service: string | null, environment: string | null, createdBy: string | null }> } };

export type HostsThatFailQueryVariables = Exact<{
  filter: StepFilter;
}>;


export type HostsThatFailQuery = { stepStats: Array<{ host: string | null, count: number }> };

export type HostsQueryVariables = Exact<{
  filter?: HostFilter | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type HostsQuery = { hosts: { totalCount: number | null, totalCountIsExact: boolean, pageInfo: { startCursor: string | null, endCursor: string | null, hasPreviousPage: boolean, hasNextPage: boolean }, nodes: Array<{ name: string, lastSeenAt: string | null, agent: string | null, reliability: { runs: number, failed: number, failureRate: number | null, worstStep: string | null } }> } };

export type HostHistoryQueryVariables = Exact<{
  name: string;
  filter?: RunFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type HostHistoryQuery = { host: { name: string, firstSeenAt: string | null, lastSeenAt: string | null, agent: string | null, labels: Record<string, unknown>, reliability: { runs: number, failed: number, failureRate: number | null, worstStep: string | null }, runs: { totalCount: number | null, totalCountIsExact: boolean, pageInfo: { startCursor: string | null, endCursor: string | null, hasPreviousPage: boolean, hasNextPage: boolean }, nodes: Array<{ taskId: string, status: RunStatus, stale: boolean, startedAt: string | null, lastEventAt: string | null, durationMs: number | null, currentStep: string | null, task: { service: string | null, version: string | null, environment: string | null }, steps: Array<{ name: string, status: StepStatus, error: { message: string } | null }> }> } } | null };

export type LogPageQueryVariables = Exact<{
  filter: EventFilter;
  first?: number | null | undefined;
  last?: number | null | undefined;
  after?: string | null | undefined;
  before?: string | null | undefined;
  around?: string | null | undefined;
}>;


export type LogPageQuery = { events: { tailCursor: string, edges: Array<{ cursor: string, node: { id: string, kind: EventKind, at: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, level: LogLevel, stream: LogStream | null, message: string | null, exitCode: number | null, progress: { done: number, total: number | null, unit: string | null } | null, error: { message: string } | null } }>, pageInfo: { hasPreviousPage: boolean, hasNextPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type LogSpreadQueryVariables = Exact<{
  filter: EventFilter;
}>;


export type LogSpreadQuery = { events: { totalCount: number | null, totalCountIsExact: boolean, edges: Array<{ node: { id: string } }> }, eventHistogram: { intervalMs: number, total: number, buckets: Array<{ at: string, total: number }> } };

export type LogMatchesQueryVariables = Exact<{
  filter: EventFilter;
  first: number;
  after?: string | null | undefined;
}>;


export type LogMatchesQuery = { events: { totalCount: number | null, totalCountIsExact: boolean, edges: Array<{ cursor: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type LineByTimeQueryVariables = Exact<{
  filter: EventFilter;
  cursor: string;
}>;


export type LineByTimeQuery = { events: { edges: Array<{ cursor: string, node: { id: string } }> } };

export type LogMomentQueryVariables = Exact<{
  filter: EventFilter;
}>;


export type LogMomentQuery = { events: { edges: Array<{ cursor: string, node: { id: string } }> } };

export type LogNowQueryVariables = Exact<{
  filter: EventFilter;
}>;


export type LogNowQuery = { events: { tailCursor: string } };

export type LogNewsSubscriptionVariables = Exact<{
  filter: EventFilter;
  after?: string | null | undefined;
}>;


export type LogNewsSubscription = { tail: { cursor: string, events: Array<{ id: string }> } };

export type LogTailSubscriptionVariables = Exact<{
  filter: EventFilter;
  after?: string | null | undefined;
}>;


export type LogTailSubscription = { tail: { cursor: string, events: Array<{ id: string, kind: EventKind, at: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, level: LogLevel, stream: LogStream | null, message: string | null, exitCode: number | null, progress: { done: number, total: number | null, unit: string | null } | null, error: { message: string } | null }>, gap: { reason: string } | null } };

export type LogLineFragment = { id: string, kind: EventKind, at: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, level: LogLevel, stream: LogStream | null, message: string | null, exitCode: number | null, progress: { done: number, total: number | null, unit: string | null } | null, error: { message: string } | null };

export type RunDetailsQueryVariables = Exact<{
  id: string;
  host: string;
}>;


export type RunDetailsQuery = { task: { run: { hostName: string, status: RunStatus, stale: boolean, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, outOfRotationSince: string | null, completeness: { received: number, complete: boolean | null, missing: Array<{ writer: string, from: number, to: number }> }, steps: Array<{ name: string, attempt: number, status: StepStatus, stale: boolean, startedAt: string | null, finishedAt: string | null, durationMs: number | null, command: string | null, params: Record<string, unknown> | null, exitCode: number | null, error: { code: string | null, message: string } | null, attempts: Array<{ attempt: number, status: StepStatus, startedAt: string | null, finishedAt: string | null, durationMs: number | null, exitCode: number | null, error: { message: string } | null }> }> } | null } | null };

export type RunDetailsFragment = { hostName: string, status: RunStatus, stale: boolean, startedAt: string | null, finishedAt: string | null, durationMs: number | null, lastEventAt: string | null, outOfRotationSince: string | null, completeness: { received: number, complete: boolean | null, missing: Array<{ writer: string, from: number, to: number }> }, steps: Array<{ name: string, attempt: number, status: StepStatus, stale: boolean, startedAt: string | null, finishedAt: string | null, durationMs: number | null, command: string | null, params: Record<string, unknown> | null, exitCode: number | null, error: { code: string | null, message: string } | null, attempts: Array<{ attempt: number, status: StepStatus, startedAt: string | null, finishedAt: string | null, durationMs: number | null, exitCode: number | null, error: { message: string } | null }> }> };

export type FailingLineQueryVariables = Exact<{
  filter: EventFilter;
}>;


export type FailingLineQuery = { events: { edges: Array<{ cursor: string, node: { kind: EventKind, level: LogLevel, message: string | null, status: StepStatus | null } }> } };

export type SearchEventsQueryVariables = Exact<{
  filter: EventFilter;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type SearchEventsQuery = { events: { totalCount: number | null, totalCountIsExact: boolean, pageInfo: { startCursor: string | null, endCursor: string | null, hasPreviousPage: boolean, hasNextPage: boolean }, edges: Array<{ cursor: string, node: { taskId: string, command: string | null, id: string, kind: EventKind, at: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, level: LogLevel, stream: LogStream | null, message: string | null, exitCode: number | null, error: { code: string | null, message: string } | null, highlights: Array<{ start: number, end: number }>, progress: { done: number, total: number | null, unit: string | null } | null } }> } };

export type FoundLineFragment = { taskId: string, command: string | null, id: string, kind: EventKind, at: string, hostName: string | null, step: string | null, attempt: number | null, status: StepStatus | null, level: LogLevel, stream: LogStream | null, message: string | null, exitCode: number | null, error: { code: string | null, message: string } | null, highlights: Array<{ start: number, end: number }>, progress: { done: number, total: number | null, unit: string | null } | null };

export type EventsOverTimeQueryVariables = Exact<{
  filter: EventFilter;
  buckets?: number | null | undefined;
}>;


export type EventsOverTimeQuery = { eventHistogram: { intervalMs: number, total: number, buckets: Array<{ at: string, total: number, byLevel: Array<{ level: LogLevel, count: number }> }> } };

export type FacetValuesQueryVariables = Exact<{
  filter: StepFilter;
}>;


export type FacetValuesQuery = { tasks: { nodes: Array<{ service: string | null, environment: string | null }> }, stepStats: Array<{ step: string | null }> };

export type StepStatisticsQueryVariables = Exact<{
  filter: StepFilter;
}>;


export type StepStatisticsQuery = { steps: Array<{ key: string, step: string | null, service: string | null, day: string | null, count: number, succeeded: number, failed: number, p50Ms: number | null, p95Ms: number | null, maxMs: number | null }>, byDay: Array<{ key: string, step: string | null, service: string | null, day: string | null, count: number, succeeded: number, failed: number, p50Ms: number | null, p95Ms: number | null, maxMs: number | null }>, byService: Array<{ key: string, step: string | null, service: string | null, day: string | null, count: number, succeeded: number, failed: number, p50Ms: number | null, p95Ms: number | null, maxMs: number | null }> };

export type StepFiguresFragment = { key: string, step: string | null, service: string | null, day: string | null, count: number, succeeded: number, failed: number, p50Ms: number | null, p95Ms: number | null, maxMs: number | null };

export type SlowestStepsQueryVariables = Exact<{
  filter: StepFilter;
}>;


export type SlowestStepsQuery = { steps: { nodes: Array<{ id: string, taskId: string, hostName: string, name: string, status: StepStatus, startedAt: string | null, durationMs: number | null }> }, hosts: Array<{ host: string | null, count: number, failed: number, p50Ms: number | null, p95Ms: number | null, maxMs: number | null }> };

export type FailuresOverTimeQueryVariables = Exact<{
  filter: StepFilter;
  before: StepFilter;
}>;


export type FailuresOverTimeQuery = { failures: Array<{ fingerprint: string, message: string, count: number, hostCount: number, hosts: Array<string>, tasks: Array<string>, steps: Array<string>, firstAt: string, lastAt: string, sample: { taskId: string, hostName: string, name: string } }>, before: Array<{ fingerprint: string, firstAt: string }> };

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
export const DeploymentHeadFragmentDoc = new TypedDocumentString(`
    fragment DeploymentHead on Task {
  id
  status
  stale
  service
  version
  environment
  title
  message
  createdBy
  createdAt
  startedAt
  finishedAt
  durationMs
  expectedHosts
  plan
  runCounts {
    total
    succeeded
    failed
    running
    pending
    cancelled
    notRun
    stale
  }
}
    `, {"fragmentName":"DeploymentHead"}) as unknown as TypedDocumentString<DeploymentHeadFragment, unknown>;
export const FailureCauseFragmentDoc = new TypedDocumentString(`
    fragment FailureCause on FailureGroup {
  fingerprint
  message
  count
  hostCount
  hosts
  steps
  sample {
    hostName
    name
    exitCode
    command
    error {
      code
      message
    }
  }
}
    `, {"fragmentName":"FailureCause"}) as unknown as TypedDocumentString<FailureCauseFragment, unknown>;
export const DeploymentRowFragmentDoc = new TypedDocumentString(`
    fragment DeploymentRow on Task {
  id
  status
  stale
  service
  version
  environment
  title
  createdBy
  createdAt
  startedAt
  finishedAt
  durationMs
  runCounts {
    total
    succeeded
    failed
    running
    pending
    cancelled
    notRun
    stale
  }
  failureGroups(first: 3) {
    fingerprint
    message
    hostCount
  }
}
    `, {"fragmentName":"DeploymentRow"}) as unknown as TypedDocumentString<DeploymentRowFragment, unknown>;
export const RunDetailsFragmentDoc = new TypedDocumentString(`
    fragment RunDetails on Run {
  hostName
  status
  stale
  startedAt
  finishedAt
  durationMs
  lastEventAt
  outOfRotationSince
  completeness {
    received
    complete
    missing {
      writer
      from
      to
    }
  }
  steps {
    name
    attempt
    status
    stale
    startedAt
    finishedAt
    durationMs
    command
    params
    exitCode
    error {
      code
      message
    }
    attempts {
      attempt
      status
      startedAt
      finishedAt
      durationMs
      exitCode
      error {
        message
      }
    }
  }
}
    `, {"fragmentName":"RunDetails"}) as unknown as TypedDocumentString<RunDetailsFragment, unknown>;
export const LogLineFragmentDoc = new TypedDocumentString(`
    fragment LogLine on StepEvent {
  id
  kind
  at
  hostName
  step
  attempt
  status
  level
  stream
  message
  exitCode
  progress {
    done
    total
    unit
  }
  error {
    message
  }
}
    `, {"fragmentName":"LogLine"}) as unknown as TypedDocumentString<LogLineFragment, unknown>;
export const FoundLineFragmentDoc = new TypedDocumentString(`
    fragment FoundLine on StepEvent {
  ...LogLine
  taskId
  command
  error {
    code
  }
  highlights {
    start
    end
  }
}
    fragment LogLine on StepEvent {
  id
  kind
  at
  hostName
  step
  attempt
  status
  level
  stream
  message
  exitCode
  progress {
    done
    total
    unit
  }
  error {
    message
  }
}`, {"fragmentName":"FoundLine"}) as unknown as TypedDocumentString<FoundLineFragment, unknown>;
export const StepFiguresFragmentDoc = new TypedDocumentString(`
    fragment StepFigures on StepStats {
  key
  step
  service
  day
  count
  succeeded
  failed
  p50Ms
  p95Ms
  maxMs
}
    `, {"fragmentName":"StepFigures"}) as unknown as TypedDocumentString<StepFiguresFragment, unknown>;
export const DeploymentChangedDocument = new TypedDocumentString(`
    subscription DeploymentChanged($id: ID!) {
  taskChanged(id: $id) {
    ...DeploymentHead
  }
}
    fragment DeploymentHead on Task {
  id
  status
  stale
  service
  version
  environment
  title
  message
  createdBy
  createdAt
  startedAt
  finishedAt
  durationMs
  expectedHosts
  plan
  runCounts {
    total
    succeeded
    failed
    running
    pending
    cancelled
    notRun
    stale
  }
}`) as unknown as TypedDocumentString<DeploymentChangedSubscription, DeploymentChangedSubscriptionVariables>;
export const DeploymentSummaryDocument = new TypedDocumentString(`
    query DeploymentSummary($id: ID!) {
  task(id: $id) {
    finishedAt
    failureGroups(first: 51) {
      ...FailureCause
    }
    stepSummaries {
      step
      p50Ms
      p95Ms
    }
    runs(filter: { outOfRotation: true }, first: 500) {
      nodes {
        hostName
        outOfRotationSince
      }
    }
  }
}
    fragment FailureCause on FailureGroup {
  fingerprint
  message
  count
  hostCount
  hosts
  steps
  sample {
    hostName
    name
    exitCode
    command
    error {
      code
      message
    }
  }
}`) as unknown as TypedDocumentString<DeploymentSummaryQuery, DeploymentSummaryQueryVariables>;
export const BoardNowDocument = new TypedDocumentString(`
    query BoardNow($id: ID!) {
  task(id: $id) {
    matrix {
      steps
      hosts
      cells
      cursor
    }
  }
}
    `) as unknown as TypedDocumentString<BoardNowQuery, BoardNowQueryVariables>;
export const BoardChangedDocument = new TypedDocumentString(`
    subscription BoardChanged($id: ID!, $after: String) {
  runsChanged(taskId: $id, after: $after) {
    cursor
    snapshot {
      steps
      hosts
      cells
    }
    changed {
      hostName
      steps {
        name
        status
        stale
      }
    }
  }
}
    `) as unknown as TypedDocumentString<BoardChangedSubscription, BoardChangedSubscriptionVariables>;
export const HostNotesDocument = new TypedDocumentString(`
    query HostNotes($id: ID!, $hosts: [String!]) {
  task(id: $id) {
    runs(filter: { hosts: $hosts }, first: 200) {
      nodes {
        hostName
        durationMs
        outOfRotationSince
        steps {
          status
          error {
            message
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<HostNotesQuery, HostNotesQueryVariables>;
export const FailureEventDocument = new TypedDocumentString(`
    query FailureEvent($filter: EventFilter!) {
  events(filter: $filter, order: LOG, first: 1) {
    edges {
      cursor
      node {
        hostName
        step
        attempt
        error {
          message
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<FailureEventQuery, FailureEventQueryVariables>;
export const DeploymentsDocument = new TypedDocumentString(`
    query Deployments($filter: TaskFilter, $first: Int, $after: String) {
  tasks(filter: $filter, first: $first, after: $after) {
    nodes {
      ...DeploymentRow
    }
    totalCount
    totalCountIsExact
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment DeploymentRow on Task {
  id
  status
  stale
  service
  version
  environment
  title
  createdBy
  createdAt
  startedAt
  finishedAt
  durationMs
  runCounts {
    total
    succeeded
    failed
    running
    pending
    cancelled
    notRun
    stale
  }
  failureGroups(first: 3) {
    fingerprint
    message
    hostCount
  }
}`) as unknown as TypedDocumentString<DeploymentsQuery, DeploymentsQueryVariables>;
export const DeploymentsCountDocument = new TypedDocumentString(`
    query DeploymentsCount($filter: TaskFilter) {
  tasks(filter: $filter, first: 0) {
    totalCount
    totalCountIsExact
  }
}
    `) as unknown as TypedDocumentString<DeploymentsCountQuery, DeploymentsCountQueryVariables>;
export const DeploymentsChangedDocument = new TypedDocumentString(`
    subscription DeploymentsChanged($filter: TaskFilter, $after: String) {
  tasksChanged(filter: $filter, after: $after) {
    cursor
    caughtUp
    tasks {
      ...DeploymentRow
    }
  }
}
    fragment DeploymentRow on Task {
  id
  status
  stale
  service
  version
  environment
  title
  createdBy
  createdAt
  startedAt
  finishedAt
  durationMs
  runCounts {
    total
    succeeded
    failed
    running
    pending
    cancelled
    notRun
    stale
  }
  failureGroups(first: 3) {
    fingerprint
    message
    hostCount
  }
}`) as unknown as TypedDocumentString<DeploymentsChangedSubscription, DeploymentsChangedSubscriptionVariables>;
export const DeploymentFacetsDocument = new TypedDocumentString(`
    query DeploymentFacets {
  tasks(first: 500) {
    nodes {
      service
      environment
      createdBy
    }
  }
}
    `) as unknown as TypedDocumentString<DeploymentFacetsQuery, DeploymentFacetsQueryVariables>;
export const HostsThatFailDocument = new TypedDocumentString(`
    query HostsThatFail($filter: StepFilter!) {
  stepStats(filter: $filter, groupBy: HOST) {
    host
    count
  }
}
    `) as unknown as TypedDocumentString<HostsThatFailQuery, HostsThatFailQueryVariables>;
export const HostsDocument = new TypedDocumentString(`
    query Hosts($filter: HostFilter, $from: DateTime, $to: DateTime, $first: Int, $after: String, $last: Int, $before: String) {
  hosts(
    filter: $filter
    first: $first
    after: $after
    last: $last
    before: $before
  ) {
    totalCount
    totalCountIsExact
    pageInfo {
      startCursor
      endCursor
      hasPreviousPage
      hasNextPage
    }
    nodes {
      name
      lastSeenAt
      agent
      reliability(from: $from, to: $to) {
        runs
        failed
        failureRate
        worstStep
      }
    }
  }
}
    `) as unknown as TypedDocumentString<HostsQuery, HostsQueryVariables>;
export const HostHistoryDocument = new TypedDocumentString(`
    query HostHistory($name: String!, $filter: RunFilter, $first: Int, $after: String, $last: Int, $before: String) {
  host(name: $name) {
    name
    firstSeenAt
    lastSeenAt
    agent
    labels
    reliability {
      runs
      failed
      failureRate
      worstStep
    }
    runs(
      filter: $filter
      first: $first
      after: $after
      last: $last
      before: $before
    ) {
      totalCount
      totalCountIsExact
      pageInfo {
        startCursor
        endCursor
        hasPreviousPage
        hasNextPage
      }
      nodes {
        taskId
        status
        stale
        startedAt
        lastEventAt
        durationMs
        currentStep
        task {
          service
          version
          environment
        }
        steps {
          name
          status
          error {
            message
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<HostHistoryQuery, HostHistoryQueryVariables>;
export const LogPageDocument = new TypedDocumentString(`
    query LogPage($filter: EventFilter!, $first: Int, $last: Int, $after: String, $before: String, $around: String) {
  events(
    filter: $filter
    order: LOG
    first: $first
    last: $last
    after: $after
    before: $before
    around: $around
  ) {
    edges {
      cursor
      node {
        ...LogLine
      }
    }
    pageInfo {
      hasPreviousPage
      hasNextPage
      startCursor
      endCursor
    }
    tailCursor
  }
}
    fragment LogLine on StepEvent {
  id
  kind
  at
  hostName
  step
  attempt
  status
  level
  stream
  message
  exitCode
  progress {
    done
    total
    unit
  }
  error {
    message
  }
}`) as unknown as TypedDocumentString<LogPageQuery, LogPageQueryVariables>;
export const LogSpreadDocument = new TypedDocumentString(`
    query LogSpread($filter: EventFilter!) {
  events(filter: $filter, order: LOG, last: 1) {
    totalCount
    totalCountIsExact
    edges {
      node {
        id
      }
    }
  }
  eventHistogram(filter: $filter, buckets: 500) {
    intervalMs
    total
    buckets {
      at
      total
    }
  }
}
    `) as unknown as TypedDocumentString<LogSpreadQuery, LogSpreadQueryVariables>;
export const LogMatchesDocument = new TypedDocumentString(`
    query LogMatches($filter: EventFilter!, $first: Int!, $after: String) {
  events(filter: $filter, order: LOG, first: $first, after: $after) {
    edges {
      cursor
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    totalCount
    totalCountIsExact
  }
}
    `) as unknown as TypedDocumentString<LogMatchesQuery, LogMatchesQueryVariables>;
export const LineByTimeDocument = new TypedDocumentString(`
    query LineByTime($filter: EventFilter!, $cursor: String!) {
  events(filter: $filter, order: TIME, around: $cursor, first: 1) {
    edges {
      cursor
      node {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<LineByTimeQuery, LineByTimeQueryVariables>;
export const LogMomentDocument = new TypedDocumentString(`
    query LogMoment($filter: EventFilter!) {
  events(filter: $filter, order: TIME, first: 1) {
    edges {
      cursor
      node {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<LogMomentQuery, LogMomentQueryVariables>;
export const LogNowDocument = new TypedDocumentString(`
    query LogNow($filter: EventFilter!) {
  events(filter: $filter, order: LOG, last: 1) {
    tailCursor
  }
}
    `) as unknown as TypedDocumentString<LogNowQuery, LogNowQueryVariables>;
export const LogNewsDocument = new TypedDocumentString(`
    subscription LogNews($filter: EventFilter!, $after: String) {
  tail(filter: $filter, after: $after) {
    cursor
    events {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<LogNewsSubscription, LogNewsSubscriptionVariables>;
export const LogTailDocument = new TypedDocumentString(`
    subscription LogTail($filter: EventFilter!, $after: String) {
  tail(filter: $filter, after: $after) {
    cursor
    events {
      ...LogLine
    }
    gap {
      reason
    }
  }
}
    fragment LogLine on StepEvent {
  id
  kind
  at
  hostName
  step
  attempt
  status
  level
  stream
  message
  exitCode
  progress {
    done
    total
    unit
  }
  error {
    message
  }
}`) as unknown as TypedDocumentString<LogTailSubscription, LogTailSubscriptionVariables>;
export const RunDetailsDocument = new TypedDocumentString(`
    query RunDetails($id: ID!, $host: String!) {
  task(id: $id) {
    run(host: $host) {
      ...RunDetails
    }
  }
}
    fragment RunDetails on Run {
  hostName
  status
  stale
  startedAt
  finishedAt
  durationMs
  lastEventAt
  outOfRotationSince
  completeness {
    received
    complete
    missing {
      writer
      from
      to
    }
  }
  steps {
    name
    attempt
    status
    stale
    startedAt
    finishedAt
    durationMs
    command
    params
    exitCode
    error {
      code
      message
    }
    attempts {
      attempt
      status
      startedAt
      finishedAt
      durationMs
      exitCode
      error {
        message
      }
    }
  }
}`) as unknown as TypedDocumentString<RunDetailsQuery, RunDetailsQueryVariables>;
export const FailingLineDocument = new TypedDocumentString(`
    query FailingLine($filter: EventFilter!) {
  events(filter: $filter, order: LOG, last: 50) {
    edges {
      cursor
      node {
        kind
        level
        message
        status
      }
    }
  }
}
    `) as unknown as TypedDocumentString<FailingLineQuery, FailingLineQueryVariables>;
export const SearchEventsDocument = new TypedDocumentString(`
    query SearchEvents($filter: EventFilter!, $first: Int, $after: String, $last: Int, $before: String) {
  events(
    filter: $filter
    order: TIME
    first: $first
    after: $after
    last: $last
    before: $before
  ) {
    totalCount
    totalCountIsExact
    pageInfo {
      startCursor
      endCursor
      hasPreviousPage
      hasNextPage
    }
    edges {
      cursor
      node {
        ...FoundLine
      }
    }
  }
}
    fragment LogLine on StepEvent {
  id
  kind
  at
  hostName
  step
  attempt
  status
  level
  stream
  message
  exitCode
  progress {
    done
    total
    unit
  }
  error {
    message
  }
}
fragment FoundLine on StepEvent {
  ...LogLine
  taskId
  command
  error {
    code
  }
  highlights {
    start
    end
  }
}`) as unknown as TypedDocumentString<SearchEventsQuery, SearchEventsQueryVariables>;
export const EventsOverTimeDocument = new TypedDocumentString(`
    query EventsOverTime($filter: EventFilter!, $buckets: Int) {
  eventHistogram(filter: $filter, buckets: $buckets) {
    intervalMs
    total
    buckets {
      at
      total
      byLevel {
        level
        count
      }
    }
  }
}
    `) as unknown as TypedDocumentString<EventsOverTimeQuery, EventsOverTimeQueryVariables>;
export const FacetValuesDocument = new TypedDocumentString(`
    query FacetValues($filter: StepFilter!) {
  tasks(first: 200) {
    nodes {
      service
      environment
    }
  }
  stepStats(filter: $filter, groupBy: STEP) {
    step
  }
}
    `) as unknown as TypedDocumentString<FacetValuesQuery, FacetValuesQueryVariables>;
export const StepStatisticsDocument = new TypedDocumentString(`
    query StepStatistics($filter: StepFilter!) {
  steps: stepStats(filter: $filter, groupBy: STEP) {
    ...StepFigures
  }
  byDay: stepStats(filter: $filter, groupBy: STEP_AND_DAY) {
    ...StepFigures
  }
  byService: stepStats(filter: $filter, groupBy: STEP_AND_SERVICE) {
    ...StepFigures
  }
}
    fragment StepFigures on StepStats {
  key
  step
  service
  day
  count
  succeeded
  failed
  p50Ms
  p95Ms
  maxMs
}`) as unknown as TypedDocumentString<StepStatisticsQuery, StepStatisticsQueryVariables>;
export const SlowestStepsDocument = new TypedDocumentString(`
    query SlowestSteps($filter: StepFilter!) {
  steps(filter: $filter, first: 10, orderBy: DURATION_DESC) {
    nodes {
      id
      taskId
      hostName
      name
      status
      startedAt
      durationMs
    }
  }
  hosts: stepStats(filter: $filter, groupBy: HOST) {
    host
    count
    failed
    p50Ms
    p95Ms
    maxMs
  }
}
    `) as unknown as TypedDocumentString<SlowestStepsQuery, SlowestStepsQueryVariables>;
export const FailuresOverTimeDocument = new TypedDocumentString(`
    query FailuresOverTime($filter: StepFilter!, $before: StepFilter!) {
  failures: failureGroups(filter: $filter, first: 50) {
    fingerprint
    message
    count
    hostCount
    hosts
    tasks
    steps
    firstAt
    lastAt
    sample {
      taskId
      hostName
      name
    }
  }
  before: failureGroups(filter: $before, first: 100) {
    fingerprint
    firstAt
  }
}
    `) as unknown as TypedDocumentString<FailuresOverTimeQuery, FailuresOverTimeQueryVariables>;

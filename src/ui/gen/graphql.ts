/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** A label with a value. */
export type LabelFilter = {
  /** The name of the label, exactly. */
  key: string;
  /** Its value as text, exactly; numbers and booleans are compared as they print. */
  value: string;
};

/** How a step on one host stands. Senders report RUNNING or a terminal status. */
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

/** Which tasks. Within a list OR, between fields AND; an empty list or null is no restriction; at most 1,000 values per list. */
export type TaskFilter = {
  /** Who started them. */
  createdBy?: Array<string> | null | undefined;
  /** Their environment. */
  environments?: Array<string> | null | undefined;
  /** Of createdAt. Inclusive lower end. */
  from?: string | null | undefined;
  /** Tasks that have a run on this host; a name that ends in `*` as everywhere. */
  host?: string | null | undefined;
  /** These tasks. */
  ids?: Array<string> | null | undefined;
  /** All of these labels. */
  labels?: Array<LabelFilter> | null | undefined;
  /** Words that must all be there: `word`, `"a phrase"`, `prefix*`, `-not`; at most 32 terms and 1,000 characters. A syntax error is SEARCH_SYNTAX and names the column. Looks at id, title, service, version, environment and createdBy. */
  search?: string | null | undefined;
  /** Their service. */
  services?: Array<string> | null | undefined;
  /** Their status. */
  statuses?: Array<TaskStatus> | null | undefined;
  /** Of createdAt. Exclusive upper end; must be later than `from`. */
  to?: string | null | undefined;
  /** Their version. */
  versions?: Array<string> | null | undefined;
};

/** How a task stands: what finishTask said, else derived from its runs when all expected hosts ended or the task was idle for too long. */
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


export type DeploymentSummaryQuery = { task: { failureGroups: Array<{ fingerprint: string, message: string, count: number, hostCount: number, hosts: Array<string>, steps: Array<string>, sample: { hostName: string, name: string, exitCode: number | null, command: string | null, error: { code: string | null, message: string } | null } }>, stepSummaries: Array<{ step: string, p50Ms: number | null, p95Ms: number | null }>, runs: { nodes: Array<{ hostName: string, outOfRotationSince: string | null }> } } | null };

export type FailureCauseFragment = { fingerprint: string, message: string, count: number, hostCount: number, hosts: Array<string>, steps: Array<string>, sample: { hostName: string, name: string, exitCode: number | null, command: string | null, error: { code: string | null, message: string } | null } };

export type BoardChangedSubscriptionVariables = Exact<{
  id: string;
  after?: string | null | undefined;
}>;


export type BoardChangedSubscription = { runsChanged: { cursor: string, snapshot: { steps: Array<string>, hosts: Array<string>, cells: string } | null, changed: Array<{ hostName: string, steps: Array<{ name: string, status: StepStatus, stale: boolean }> }> } };

export type DeploymentsQueryVariables = Exact<{
  filter?: TaskFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type DeploymentsQuery = { tasks: { totalCount: number | null, totalCountIsExact: boolean, nodes: Array<{ id: string, status: TaskStatus, stale: boolean, service: string | null, version: string | null, environment: string | null, title: string | null, createdBy: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, runCounts: { total: number, succeeded: number, failed: number, running: number, pending: number, cancelled: number, notRun: number, stale: number }, failureGroups: Array<{ fingerprint: string, message: string, hostCount: number }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type DeploymentsChangedSubscriptionVariables = Exact<{
  filter?: TaskFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type DeploymentsChangedSubscription = { tasksChanged: { cursor: string, tasks: Array<{ id: string, status: TaskStatus, stale: boolean, service: string | null, version: string | null, environment: string | null, title: string | null, createdBy: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, runCounts: { total: number, succeeded: number, failed: number, running: number, pending: number, cancelled: number, notRun: number, stale: number }, failureGroups: Array<{ fingerprint: string, message: string, hostCount: number }> }> } };

export type DeploymentRowFragment = { id: string, status: TaskStatus, stale: boolean, service: string | null, version: string | null, environment: string | null, title: string | null, createdBy: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, runCounts: { total: number, succeeded: number, failed: number, running: number, pending: number, cancelled: number, notRun: number, stale: number }, failureGroups: Array<{ fingerprint: string, message: string, hostCount: number }> };

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
  failureGroups(first: 2) {
    fingerprint
    message
    hostCount
  }
}
    `, {"fragmentName":"DeploymentRow"}) as unknown as TypedDocumentString<DeploymentRowFragment, unknown>;
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
    failureGroups(first: 20) {
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
  failureGroups(first: 2) {
    fingerprint
    message
    hostCount
  }
}`) as unknown as TypedDocumentString<DeploymentsQuery, DeploymentsQueryVariables>;
export const DeploymentsChangedDocument = new TypedDocumentString(`
    subscription DeploymentsChanged($filter: TaskFilter, $after: String) {
  tasksChanged(filter: $filter, after: $after) {
    cursor
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
  failureGroups(first: 2) {
    fingerprint
    message
    hostCount
  }
}`) as unknown as TypedDocumentString<DeploymentsChangedSubscription, DeploymentsChangedSubscriptionVariables>;

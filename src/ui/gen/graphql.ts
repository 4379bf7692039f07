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

/** The queries that somebody finds who opens GraphiQL for the first time. */

export interface Tab {
  query: string;
  variables?: string;
}

/** In the variables of the examples: the page puts the newest task in its place, if there is one. */
export const EXAMPLE_TASK = 'deploy-1';
const FOR_A_TASK = `{\n  "id": "${EXAMPLE_TASK}"\n}`;

export const TABS: readonly Tab[] = [
  {
    query: `# The newest deployments: how each step goes
# over all hosts, and how long it takes.
query Deployments {
  tasks(first: 20) {
    nodes {
      id
      service
      version
      environment
      status
      stale
      createdAt
      durationMs
      runCounts { total running succeeded failed stale }
      stepSummaries { step running succeeded failed p50Ms p95Ms }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  },
  {
    query: `# One deployment as a board: a letter for each
# host and step, row by row.
# The variables below name the task.
query Board($id: ID!) {
  task(id: $id) {
    status
    runCounts { total running succeeded failed notRun stale }
    matrix { steps hosts cells cursor }
    runs(filter: { statuses: [FAILED] }, first: 20) {
      nodes { hostName status currentStep outOfRotationSince completeness { received complete } }
    }
  }
}
`,
    variables: FOR_A_TASK,
  },
  {
    query: `# What failed lately, each with the reason
# and the last lines before it.
query FailedSteps {
  steps(filter: { statuses: [FAILED, TIMED_OUT] }, first: 20) {
    nodes {
      taskId
      hostName
      name
      attempt
      command
      exitCode
      durationMs
      error { code message }
      lastLines(count: 5) { at stream message }
    }
  }
}
`,
  },
  {
    query: `# Search all output: words, "a phrase", prefix*,
# -not, level:error, host:web-1*, step:download.
# Without a task: the last 24 hours, unless
# from and to say otherwise.
query Search($text: String!) {
  events(filter: { search: $text }, last: 50) {
    nodes { at taskId hostName step level message highlights { start end } }
    totalCount
    pageInfo { hasPreviousPage startCursor }
  }
}
`,
    variables: '{\n  "text": "level:error"\n}',
  },
  {
    query: `# How many events there were, over time and by level.
query Histogram {
  eventHistogram(filter: {}, buckets: 60) {
    intervalMs
    total
    buckets { at total byLevel { level count } }
  }
}
`,
  },
  {
    query: `# How long each step takes, how often it fails.
# Also by HOST, STEP_AND_SERVICE, STEP_AND_DAY.
query StepStatistics {
  stepStats(filter: {}, groupBy: STEP) {
    key
    count
    succeeded
    failed
    p50Ms
    p95Ms
    p99Ms
    maxMs
  }
}
`,
  },
  {
    query: `# Failures by their cause: the same text
# on many hosts is one group.
query FailureGroups {
  failureGroups(filter: {}, first: 20) {
    message
    count
    hostCount
    hosts
    steps
    tasks
    firstAt
    lastAt
    sample { taskId hostName name command exitCode }
  }
}
`,
  },
  {
    query: `# Everything as it becomes durable. Give the
# last cursor as "after" to go on without a gap.
subscription LiveTail {
  tail(filter: {}, last: 10) {
    events { at taskId hostName step status level message }
    cursor
    caughtUp
    gap { reason }
  }
}
`,
  },
  {
    query: `# A deployment's board, live: first the whole
# of it, then the runs that changed.
subscription LiveBoard($id: ID!) {
  runsChanged(taskId: $id) {
    snapshot { steps hosts cells }
    changed { hostName status currentStep stale steps { name status durationMs } }
    cursor
    caughtUp
  }
}
`,
    variables: FOR_A_TASK,
  },
];

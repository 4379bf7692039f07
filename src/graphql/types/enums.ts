/** Enums. Values may be added in later versions: clients should take an unknown one as such. */
import { builder } from '../builder.ts';

export const StepStatusEnum = builder.enumType('StepStatus', {
  description: 'The status of a step on one host. Senders report RUNNING or a terminal status.',
  values: {
    PENDING: { description: 'Planned and not begun. A conclusion of the server, never reported.' },
    RUNNING: { description: 'Begun and not ended.' },
    SUCCEEDED: { description: 'Ended well. Terminal.' },
    FAILED: { description: 'Ended with an error. Terminal.' },
    SKIPPED: { description: 'Left out on purpose; counts as done. Terminal.' },
    TIMED_OUT: { description: 'Given up after too long; counts as failed. Terminal.' },
    CANCELLED: { description: 'Stopped by somebody. Terminal.' },
    NOT_RUN: {
      description:
        'Planned, and never begun when the task was over. A conclusion of the server, never reported.',
    },
  },
});

export const RunStatusEnum = builder.enumType('RunStatus', {
  description: 'The status of one task on one host.',
  values: {
    PENDING: { description: 'No step has begun.' },
    RUNNING: { description: 'Some step has begun, and not every planned step is done.' },
    SUCCEEDED: { description: 'Every planned step succeeded or was skipped.' },
    FAILED: { description: 'The latest attempt of a step failed or timed out.' },
    CANCELLED: {
      description: 'A step was cancelled, or the task ended while this host was half-way.',
    },
    NOT_RUN: { description: 'The task is over and no step began on this host.' },
  },
});

export const TaskStatusEnum = builder.enumType('TaskStatus', {
  description:
    'The status of a task: the one given to finishTask, else derived from its runs when all expected hosts have ended or the task was idle for too long.',
  values: {
    PENDING: { description: 'Declared; no step has begun on any host.' },
    RUNNING: { description: 'Some host has begun and the task is not over.' },
    SUCCEEDED: { description: 'Over; every host succeeded.' },
    PARTIAL: { description: 'Over; some hosts succeeded and some did not.' },
    FAILED: { description: 'Over; no host succeeded and some failed.' },
    CANCELLED: { description: 'Over; stopped before any host succeeded or failed.' },
  },
});

export const LogLevelEnum = builder.enumType('LogLevel', {
  description:
    'Severity of an event, from the least to the most severe: TRACE, DEBUG, INFO, WARN, ERROR, FATAL.',
  values: {
    TRACE: { description: 'Finest detail.' },
    DEBUG: { description: 'Detail for developers.' },
    INFO: { description: 'Normal progress; the default of an event that did not fail.' },
    WARN: { description: 'Unexpected and survivable; the default of a cancelled step.' },
    ERROR: { description: 'A failure; the default of a failed or timed-out step.' },
    FATAL: { description: 'A failure that ended the process.' },
  },
});

export const LogStreamEnum = builder.enumType('LogStream', {
  description: 'Which output stream of a command printed a line.',
  values: {
    STDOUT: { description: 'Standard output.' },
    STDERR: { description: 'Standard error.' },
  },
});

export const EventOutcomeEnum = builder.enumType('EventOutcome', {
  description: 'What became of one reported event.',
  values: {
    STORED: { description: 'Durable now.' },
    DUPLICATE: {
      description: 'The same event was stored before; a retry counts once. As good as STORED.',
    },
    REJECTED: {
      description:
        'Cannot be taken, now or on a retry: `error` says why. Its neighbours are not affected.',
    },
  },
});

export const EventKindEnum = builder.enumType('EventKind', {
  description: 'What an event reports.',
  values: {
    TASK: {
      description: 'A task began, was changed, ended or went idle. Has no host and no step.',
    },
    STEP: { description: 'A step began or ended: it carries a status.' },
    OUTPUT: { description: 'A line that a step printed, or a note about it.' },
    PROGRESS: { description: 'How far a step has come.' },
  },
});

export const TaskOrderEnum = builder.enumType('TaskOrder', {
  description: 'Orders of a list of tasks. Ties are ordered by id.',
  values: {
    CREATED_DESC: { description: 'Newest first, by createdAt.' },
    CREATED_ASC: { description: 'Oldest first, by createdAt.' },
    DURATION_DESC: { description: 'Longest first; tasks without a duration last.' },
  },
});

export const RunOrderEnum = builder.enumType('RunOrder', {
  description: 'Orders of a list of runs. Ties are ordered by host and task.',
  values: {
    HOST_ASC: { description: 'By host name.' },
    STARTED_DESC: { description: 'By startedAt, the latest first; runs that have not begun last.' },
    DURATION_DESC: { description: 'Longest first; runs without a duration last.' },
    LAST_EVENT_DESC: { description: 'By lastEventAt, the latest first.' },
    FAILED_FIRST: { description: 'Failed runs first, then the others; within both by host name.' },
  },
});

export const StepOrderEnum = builder.enumType('StepOrder', {
  description: 'Orders of a list of steps. Ties are ordered by task, host and name.',
  values: {
    STARTED_DESC: {
      description: 'By startedAt, the latest first; steps that have not begun last.',
    },
    STARTED_ASC: {
      description: 'By startedAt, the earliest first; steps that have not begun last.',
    },
    DURATION_DESC: { description: 'Longest first; steps without a duration last.' },
  },
});

export const EventOrderEnum = builder.enumType('EventOrder', {
  description: 'Orders of a list of events. Both are ascending: the newest events are `last: n`.',
  values: {
    LOG: {
      description:
        'The order in which events became durable; needs a filter for one task. Nothing is ever inserted before what was read.',
    },
    TIME: {
      description:
        "By `at`, on the reporters' clocks. Events of the same millisecond are in the order of the log; those of different shards are in an order that is always the same.",
    },
  },
});

export const StepGroupByEnum = builder.enumType('StepGroupBy', {
  description: 'What step statistics are grouped by.',
  values: {
    STEP: { description: 'One group per step name.' },
    HOST: { description: 'One group per host.' },
    STEP_AND_SERVICE: { description: 'One group per step name and service.' },
    STEP_AND_DAY: { description: 'One group per step name and UTC day of startedAt.' },
  },
});

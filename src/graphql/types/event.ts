/** StepEvent: one thing that was reported. */
import {
  formatPosition,
  type JsonObject,
  type StoredEvent,
  type TaskChange,
} from '../../domain/event/event.ts';
import type { EventFilter } from '../../domain/search/filter.ts';
import { highlights } from '../../domain/search/search.ts';
import {
  EventRef,
  type EventShape,
  HostRef,
  ProgressRef,
  StepErrorRef,
  TaskRef,
  TextRangeRef,
} from '../refs.ts';
import { EventKindEnum, LogLevelEnum, LogStreamEnum, StepStatusEnum } from './enums.ts';
import { loadHost } from './rows.ts';

const INT_MAX = 2 ** 31 - 1;

/** The event as the type StepEvent. `filter`: what found it, for the highlights. */
export function eventShape(event: StoredEvent, filter: EventFilter = {}): EventShape {
  return { event, search: filter.search ?? null };
}

EventRef.implement({
  description:
    'One thing that was reported: a step began, printed a line, made progress, ended; or its task began or ended. Immutable.',
  fields: (t) => ({
    id: t.id({
      description:
        'Globally unique and opaque, so that client caches may key on it. At most 22 characters.',
      resolve: ({ event }) => event.id,
    }),
    eventId: t.id({
      description:
        "The sender's own id, or the server's where none was sent; unique within its task. At most 128 characters.",
      resolve: ({ event }) => event.eventId,
    }),
    kind: t.field({
      type: EventKindEnum,
      description: 'What it reports.',
      resolve: ({ event }) => event.kind,
    }),
    taskId: t.id({
      description: "Its task's id. At most 256 characters.",
      resolve: ({ event }) => event.taskId,
    }),
    task: t.field({
      type: TaskRef,
      nullable: true,
      description: 'Its task; null where retention removed it meanwhile.',
      resolve: ({ event }, _args, context) => context.loaders.task.load(event.taskId),
    }),
    hostName: t.string({
      nullable: true,
      description: 'The host that it happened on, at most 255 characters; null on TASK events.',
      resolve: ({ event }) => event.host,
    }),
    host: t.field({
      type: HostRef,
      nullable: true,
      description: 'The host that it happened on; null on TASK events.',
      resolve: ({ event }, _args, context) =>
        event.host === null ? null : loadHost(context, event.host),
    }),
    step: t.string({
      nullable: true,
      description: "The step's name, at most 128 characters; null on TASK events.",
      resolve: ({ event }) => event.step,
    }),
    attempt: t.int({
      nullable: true,
      description: 'Which attempt of the step, from 1; null on TASK events.',
      resolve: ({ event }) => event.attempt,
    }),
    status: t.field({
      type: StepStatusEnum,
      nullable: true,
      description: 'On STEP events: the status that was reported.',
      resolve: ({ event }) => event.status,
    }),
    at: t.field({
      type: 'DateTime',
      description: "When it happened, on the reporter's clock; receivedAt where it did not say.",
      resolve: ({ event }) => event.at,
    }),
    atReplaced: t.boolean({
      description:
        "Whether the reporter's clock gave a time that cannot be (before 2000, or an unset one), so that `at` is receivedAt.",
      resolve: ({ event }) => event.atReplaced === true,
    }),
    receivedAt: t.field({
      type: 'DateTime',
      description: "When it was received, on the server's clock.",
      resolve: ({ event }) => event.receivedAt,
    }),
    writer: t.id({
      nullable: true,
      description: 'The reporting process that numbered it. At most 128 characters.',
      resolve: ({ event }) => event.writer,
    }),
    sequence: t.int({
      nullable: true,
      description: "Its number among the writer's events of this task and host, from 1.",
      resolve: ({ event }) =>
        event.sequence !== null && event.sequence <= INT_MAX ? event.sequence : null,
    }),
    service: t.string({
      nullable: true,
      description:
        "The task's service, as known when the event was taken in. At most 256 characters.",
      resolve: ({ event }) => event.service,
    }),
    environment: t.string({
      nullable: true,
      description:
        "The task's environment, as known when the event was taken in. At most 256 characters.",
      resolve: ({ event }) => event.environment,
    }),
    message: t.string({
      nullable: true,
      description:
        'Text, secrets redacted, control characters as sent: escape before showing. At most 65,536 characters.',
      resolve: ({ event }) => event.message,
    }),
    level: t.field({
      type: LogLevelEnum,
      description: 'Severity; derived from the status where none was sent.',
      resolve: ({ event }) => event.level,
    }),
    stream: t.field({
      type: LogStreamEnum,
      nullable: true,
      description: 'On lines of output: the stream that printed it.',
      resolve: ({ event }) => event.stream,
    }),
    command: t.string({
      nullable: true,
      description: 'The command line, secrets redacted. At most 32,768 characters.',
      resolve: ({ event }) => event.command,
    }),
    params: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'Parameters of the command, secrets redacted. At most 16 KiB of JSON.',
      resolve: ({ event }) => event.params,
    }),
    exitCode: t.int({
      nullable: true,
      description:
        'Exit code, as a signed number of 32 bits: 3221225477 of Windows is -1073741819.',
      resolve: ({ event }) => event.exitCode,
    }),
    durationMs: t.float({
      nullable: true,
      description: 'How long it took as the reporter measured it, in milliseconds.',
      resolve: ({ event }) => event.durationMs,
    }),
    progress: t.field({
      type: ProgressRef,
      nullable: true,
      description: 'On PROGRESS events: how far the step has come.',
      resolve: ({ event }) => event.progress,
    }),
    error: t.field({
      type: StepErrorRef,
      nullable: true,
      description: 'Why it failed.',
      resolve: ({ event }) => event.error,
    }),
    source: t.string({
      nullable: true,
      description:
        'Who reported it, such as `release-service` or `agent/1.4.2`. At most 128 characters.',
      resolve: ({ event }) => event.source,
    }),
    labels: t.field({
      type: 'JSONObject',
      description:
        'Flat labels of this event: texts, numbers and booleans. At most 64, with at most 1,024 characters each.',
      resolve: ({ event }) => event.labels,
    }),
    taskChange: t.field({
      type: 'JSONObject',
      nullable: true,
      description:
        'On TASK events: what it says about the task, in the form of `task` in /v1/events: `change` (began, ended or idle), and those of service, version, environment, title, createdBy, plan, hosts, expectedHosts, labels, status, message and idleSince that were given. Null on others. At most 10,000 hosts of 255 characters.',
      resolve: ({ event }) => (event.task === null ? null : saidOf(event.task)),
    }),
    position: t.string({
      description:
        'Where it stands in the log: `shard:seq`, at most 64 characters. Within a task, seq is the order in which events became durable.',
      resolve: ({ event }) => formatPosition(event.position),
    }),
    highlights: t.field({
      type: [TextRangeRef],
      description:
        'Where the search of the filter matched in `message`, in order and not overlapping; empty without a search. At most 3,200: the first 100 places of each term.',
      resolve: ({ event, search }) =>
        search === null || event.message === null ? [] : highlights(search, event.message),
    }),
  }),
});

function saidOf(change: TaskChange): JsonObject {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null));
}

TextRangeRef.implement({
  description: 'A part of a text, in UTF-16 units (as JavaScript and Java count).',
  fields: (t) => ({
    start: t.exposeInt('start', { description: 'Offset of its first unit, from 0.' }),
    end: t.exposeInt('end', { description: 'Offset just after its last unit.' }),
  }),
});

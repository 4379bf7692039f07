/** startTask and finishTask write events too: the log is complete, every view is a fold of it. */
import type { InputProblem } from '../errors.ts';
import { type LogEvent, TASK_STATUSES, type TaskChange, type TaskStatus } from './event.ts';
import {
  type InputObject,
  Refused,
  readEnum,
  readHosts,
  readInteger,
  readName,
  readNames,
  readObject,
  readText,
  readTime,
  refusable,
  required,
} from './fields.ts';
import { contentDigest, eventIdentity, uuidV7 } from './identity.ts';
import {
  canonical,
  defaultLevel,
  type InputOptions,
  type ParsedEvent,
  type Redaction,
} from './input.ts';
import { readLabels } from './json-fields.ts';
import { LIMITS } from './limits.ts';
import { type ReportedTime, readReportedTime } from './reported-time.ts';

const START_FIELDS = new Set(
  'id service version environment title createdBy plan hosts expectedHosts labels at'.split(' '),
);
const FINISH_FIELDS = new Set(['id', 'status', 'message', 'at']);
const LINE_FIELDS = new Set(['eventId', 'taskId', 'at', 'task']);
const BEGAN_FIELDS = new Set(
  'change service version environment title createdBy plan hosts expectedHosts labels'.split(' '),
);
const ENDED_FIELDS = new Set(['change', 'status', 'message']);
const IDLE_FIELDS = new Set(['change', 'idleSince']);
const CHANGES = ['began', 'ended', 'idle'] as const;
const FINISH_STATUSES = TASK_STATUSES.filter(
  (status) => status !== 'PENDING' && status !== 'RUNNING',
);

/** The event, and what was left out of its hosts: names that no host can have. */
export type ParsedStart =
  | { ok: true; event: LogEvent; generatedId: boolean; leftOut: InputProblem[] }
  | { ok: false; problem: InputProblem };

/** One StartTaskInput, as a TASK event. Never throws for a bad value. */
export function parseStartTask(
  raw: unknown,
  receivedAt: number,
  { redact }: InputOptions = {},
): ParsedStart {
  return refusable(() => {
    const input = readObject(raw, null, START_FIELDS);
    const taskId = required(readName(input.id, 'id', LIMITS.taskId), 'id');
    const at = readReportedTime(input.at, receivedAt);
    const leftOut: InputProblem[] = [];
    const change = readBegan(input, '', leftOut, redact);
    return { ...taskEvent({ taskId, eventId: null, change, at, receivedAt }), leftOut };
  });
}

/** One FinishTaskInput, as a TASK event. Never throws for a bad value. */
export function parseFinishTask(
  raw: unknown,
  receivedAt: number,
  { redact }: InputOptions = {},
): ParsedEvent {
  return refusable(() => {
    const input = readObject(raw, null, FINISH_FIELDS);
    const taskId = required(readName(input.id, 'id', LIMITS.taskId), 'id');
    const change = readEnded(input, '', redact);
    const at = readReportedTime(input.at, receivedAt);
    return taskEvent({ taskId, eventId: null, change, at, receivedAt });
  });
}

/** Whether a line among those of steps says something of a task: a `task` that is no name. */
export function isTaskLine(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false;
  const { task } = raw as { task?: unknown };
  return typeof task === 'object' && task !== null;
}

/**
 * A TASK event among events of steps, as an export has it: with the id that it had, so that it
 * counts once. Never throws for a bad value.
 */
export function parseTaskLine(
  raw: unknown,
  receivedAt: number,
  { redact }: InputOptions = {},
): ParsedStart {
  return refusable(() => {
    const input = readObject(raw, null, LINE_FIELDS);
    const taskId = required(readName(input.taskId, 'taskId', LIMITS.taskId), 'taskId');
    const eventId = readName(input.eventId, 'eventId', LIMITS.eventId);
    const at = readReportedTime(input.at, receivedAt);
    const leftOut: InputProblem[] = [];
    const change = readChange(input.task, leftOut, redact);
    return { ...taskEvent({ taskId, eventId, change, at, receivedAt }), leftOut };
  });
}

function readChange(
  value: unknown,
  leftOut: InputProblem[],
  redact: Redaction | undefined,
): TaskChange {
  const { change } = value as { change?: unknown };
  switch (required(readEnum(change, 'task.change', CHANGES), 'task.change')) {
    case 'began':
      return readBegan(readObject(value, 'task', BEGAN_FIELDS), 'task.', leftOut, redact);
    case 'ended':
      return readEnded(readObject(value, 'task', ENDED_FIELDS), 'task.', redact);
    case 'idle': {
      const { idleSince } = readObject(value, 'task', IDLE_FIELDS);
      const since = required(readTime(idleSince, 'task.idleSince'), 'task.idleSince');
      return { ...NOTHING_SAID, change: 'idle', idleSince: since };
    }
  }
}

/** `path`: before the names of fields in what is refused. */
function readBegan(
  input: InputObject,
  path: string,
  leftOut: InputProblem[],
  redact: Redaction | undefined,
): TaskChange {
  const name = (field: string) => readName(input[field], path + field, LIMITS.taskName);
  const title = readText(input.title, `${path}title`, LIMITS.title);
  const labels = readLabels(input.labels, `${path}labels`);
  const plan = readNames(input.plan, `${path}plan`, LIMITS.planSteps, (step, field) =>
    readName(step, field, LIMITS.step),
  );
  if (plan?.length === 0) {
    throw new Refused('INVALID_VALUE', `${path}plan`, `${path}plan must name at least one step`);
  }
  const hosts = readHosts(input.hosts, `${path}hosts`, LIMITS.hosts, leftOut);
  const expected = input.expectedHosts;
  return {
    ...NOTHING_SAID,
    change: 'began',
    service: name('service'),
    version: name('version'),
    environment: name('environment'),
    title: title !== null && redact !== undefined ? redact.text(title) : title,
    createdBy: name('createdBy'),
    plan,
    hosts,
    expectedHosts: readInteger(expected, `${path}expectedHosts`, 0, LIMITS.expectedHosts),
    labels: labels !== null && redact !== undefined ? redact.labels(labels) : labels,
  };
}

function readEnded(input: InputObject, path: string, redact: Redaction | undefined): TaskChange {
  const status: TaskStatus | null = readEnum(input.status, `${path}status`, FINISH_STATUSES);
  const message = readText(input.message, `${path}message`, LIMITS.message);
  const said = message !== null && redact !== undefined ? redact.text(message) : message;
  return { ...NOTHING_SAID, change: 'ended', status, message: said };
}

/** What a TASK event changes that says nothing but its kind. */
export const NOTHING_SAID: Omit<TaskChange, 'change'> = {
  service: null,
  version: null,
  environment: null,
  title: null,
  createdBy: null,
  plan: null,
  hosts: null,
  expectedHosts: null,
  labels: null,
  status: null,
  message: null,
  idleSince: null,
};

/** The message of a TASK event that brought none. */
function taskMessage({ change, status }: Pick<TaskChange, 'change' | 'status'>): string {
  if (change === 'idle') return 'task is idle: nothing was reported for a long time';
  return `task ${change}${status === null ? '' : `: ${status.toLowerCase()}`}`;
}

interface TaskEventParts {
  taskId: string;
  /** null: a new one. */
  eventId: string | null;
  change: TaskChange;
  at: ReportedTime;
  receivedAt: number;
}

export function taskEvent({ taskId, eventId: given, change, at, receivedAt }: TaskEventParts): {
  event: LogEvent;
  generatedId: boolean;
} {
  const eventId = given ?? `${change.change}-${uuidV7(receivedAt)}`;
  const idle = change.change === 'idle';
  const event: LogEvent = {
    id: eventIdentity(taskId, eventId),
    eventId,
    digest: contentDigest(JSON.stringify([taskId, at.said, change.message, canonical(change)])),
    kind: 'TASK',
    taskId,
    host: null,
    step: null,
    attempt: null,
    status: null,
    at: at.at,
    ...(at.replaced ? { atReplaced: true } : {}),
    receivedAt,
    writer: null,
    sequence: null,
    service: change.service,
    environment: change.environment,
    message: change.message ?? taskMessage(change),
    level: idle ? 'WARN' : defaultLevel(change.status),
    stream: null,
    command: null,
    params: null,
    exitCode: null,
    durationMs: null,
    progress: null,
    error: null,
    // The mark is ours, whoever hands it on.
    source: idle ? 'shiplog' : null,
    labels: change.labels ?? {},
    task: change,
  };
  return { event, generatedId: given === null };
}

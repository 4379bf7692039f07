/** startTask and finishTask write events too: the log is complete, every view is a fold of it. */
import type { InputProblem } from '../errors.ts';
import { type LogEvent, TASK_STATUSES, type TaskChange, type TaskStatus } from './event.ts';
import {
  Refused,
  readEnum,
  readHosts,
  readInteger,
  readName,
  readNames,
  readObject,
  readText,
  refusable,
  required,
} from './fields.ts';
import { contentDigest, eventIdentity, uuidV7 } from './identity.ts';
import { canonical, defaultLevel, type InputOptions, type ParsedEvent } from './input.ts';
import { readLabels } from './json-fields.ts';
import { LIMITS } from './limits.ts';
import { type ReportedTime, readReportedTime } from './reported-time.ts';

const START_FIELDS = new Set(
  'id service version environment title createdBy plan hosts expectedHosts labels at'.split(' '),
);
const FINISH_FIELDS = new Set(['id', 'status', 'message', 'at']);
const FINISH_STATUSES = TASK_STATUSES.filter(
  (status) => status !== 'PENDING' && status !== 'RUNNING',
);

/** With what was left out of its hosts: names that no host can have. */
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
    const name = (field: string) => readName(input[field], field, LIMITS.taskName);
    const taskId = required(readName(input.id, 'id', LIMITS.taskId), 'id');
    const at = readReportedTime(input.at, receivedAt);
    const title = readText(input.title, 'title', LIMITS.title);
    const labels = readLabels(input.labels, 'labels');
    const plan = readNames(input.plan, 'plan', LIMITS.planSteps, (step, field) =>
      readName(step, field, LIMITS.step),
    );
    if (plan?.length === 0) {
      throw new Refused('INVALID_VALUE', 'plan', 'plan must name at least one step');
    }
    const leftOut: InputProblem[] = [];
    const hosts = readHosts(input.hosts, 'hosts', LIMITS.hosts, leftOut);
    const change: TaskChange = {
      ...NOTHING_SAID,
      change: 'began',
      service: name('service'),
      version: name('version'),
      environment: name('environment'),
      title: title !== null && redact !== undefined ? redact.text(title) : title,
      createdBy: name('createdBy'),
      plan,
      hosts,
      expectedHosts: readInteger(input.expectedHosts, 'expectedHosts', 0, LIMITS.expectedHosts),
      labels: labels !== null && redact !== undefined ? redact.labels(labels) : labels,
    };
    return { ...taskEvent(taskId, change, at, receivedAt, null), leftOut };
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
    const status: TaskStatus | null = readEnum(input.status, 'status', FINISH_STATUSES);
    const message = readText(input.message, 'message', LIMITS.message);
    const at = readReportedTime(input.at, receivedAt);

    const said = message !== null && redact !== undefined ? redact.text(message) : message;
    const change: TaskChange = { ...NOTHING_SAID, change: 'ended', status, message: said };
    return taskEvent(taskId, change, at, receivedAt, said);
  });
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
function taskMessage(change: Pick<TaskChange, 'change' | 'status'>): string {
  const status = change.status === null ? '' : `: ${change.status.toLowerCase()}`;
  return `task ${change.change === 'idle' ? 'idle' : change.change}${status}`;
}

function taskEvent(
  taskId: string,
  change: TaskChange,
  at: ReportedTime,
  receivedAt: number,
  message: string | null,
): { event: LogEvent; generatedId: boolean } {
  const eventId = `${change.change}-${uuidV7(receivedAt)}`;
  const event: LogEvent = {
    id: eventIdentity(taskId, eventId),
    eventId,
    digest: contentDigest(JSON.stringify([taskId, at.said, message, canonical(change)])),
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
    message: message ?? taskMessage(change),
    level: defaultLevel(change.status),
    stream: null,
    command: null,
    params: null,
    exitCode: null,
    durationMs: null,
    progress: null,
    error: null,
    source: null,
    labels: change.labels ?? {},
    task: change,
  };
  return { event, generatedId: true };
}

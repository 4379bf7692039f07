/** What senders send. Values are checked by `domain/event/input.ts`, where all protocols meet. */
import { LIMITS } from '../../domain/event/limits.ts';
import { builder } from '../builder.ts';
import { judgedByItem } from '../operation/item-field.ts';
import { LogLevelEnum, LogStreamEnum, StepStatusEnum, TaskStatusEnum } from './enums.ts';

function upTo(max: number): string {
  return `At most ${max.toLocaleString('en')} characters.`;
}

const LABELS = `Flat labels: texts (up to ${LIMITS.labelValue.toLocaleString('en')} characters), numbers and booleans; at most ${LIMITS.labels}, keys up to ${LIMITS.labelKey} characters.`;
const AT =
  "When it happened, on the sender's clock. Default: when it is received. The same stands in for the time of a clock that was never set (before 2000, or the unset time of a language); the event then says atReplaced. Epoch seconds are refused.";

const ProgressInput = builder.inputType('ProgressInput', {
  description: 'How far a step has come.',
  fields: (t) => ({
    done: t.float({
      required: true,
      description: 'How much is done, in `unit`; not negative.',
      ...judgedByItem('number'),
    }),
    total: t.float({
      description: 'How much there is to do, in `unit`; not negative. Absent: not known.',
      ...judgedByItem('number'),
    }),
    unit: t.string({
      description: `What is counted: \`MiB\`, \`files\`, … ${upTo(LIMITS.progressUnit)}`,
    }),
  }),
});

const StepErrorInput = builder.inputType('StepErrorInput', {
  description: 'Why a step did not succeed.',
  fields: (t) => ({
    code: t.string({ description: `A code for grouping and filters. ${upTo(LIMITS.errorCode)}` }),
    message: t.string({
      required: true,
      description: `The reason in words; secrets are redacted. ${upTo(LIMITS.errorMessage)}`,
    }),
  }),
});

export const StepEventInput = builder.inputType('StepEventInput', {
  description:
    'One event about a step on a host. It must say something: a status, a message, progress, a command, params, an exit code, a duration or an error. null is the same as absent. Characters are UTF-16 units.',
  fields: (t) => ({
    eventId: t.id({
      description: `Chosen by the sender, unique within its task; makes a retry safe. Recommended: UUIDv7 or ULID. ${upTo(LIMITS.eventId)} Absent: writer and sequence identify the event; without them a retry may count twice.`,
    }),
    taskId: t.id({
      required: true,
      description: `The release system's id of the deployment. ${upTo(LIMITS.taskId)}`,
    }),
    host: t.string({
      required: true,
      description: `The host's name; must not hold \`*\`. ${upTo(LIMITS.host)}`,
    }),
    step: t.string({
      required: true,
      description: `The step's name, from the plan or any other. ${upTo(LIMITS.step)}`,
    }),
    attempt: t.int({
      defaultValue: 1,
      description: `Which attempt of the step on this host, from 1 to ${LIMITS.attempt.toLocaleString('en')}: a step that is run again in the same task has a higher one.`,
      ...judgedByItem('number'),
    }),
    status: t.field({
      type: StepStatusEnum,
      description: 'RUNNING, or a terminal status. Absent: a log line or progress.',
      ...judgedByItem('text'),
    }),
    at: t.field({ type: 'DateTime', description: AT, ...judgedByItem('time') }),
    writer: t.id({
      description: `One reporting process, for example a UUID made at its start. With sequence it identifies the event where no eventId is given. ${upTo(LIMITS.writer)}`,
    }),
    sequence: t.int({
      description:
        'Its number among the events of this writer for this task and host, from 1 without holes: it proves that none is missing, and gives their order. Needs writer.',
      ...judgedByItem('number'),
    }),
    message: t.string({ description: `Text; secrets are redacted. ${upTo(LIMITS.message)}` }),
    level: t.field({
      type: LogLevelEnum,
      description:
        'Severity. Default: ERROR with FAILED and TIMED_OUT, WARN with CANCELLED, else INFO.',
      ...judgedByItem('text'),
    }),
    stream: t.field({
      type: LogStreamEnum,
      description: 'Which output stream printed the line.',
      ...judgedByItem('text'),
    }),
    command: t.string({
      description: `The command line; secrets are redacted. ${upTo(LIMITS.command)}`,
    }),
    params: t.field({
      type: 'JSONObject',
      description: `Parameters of the command; secrets are redacted. At most ${LIMITS.paramsBytes / 1024} KiB of JSON, ${LIMITS.paramsKeys} keys, ${LIMITS.paramsDepth} levels.`,
    }),
    exitCode: t.int({
      description:
        'Exit code, 32 bits. An unsigned one of Windows may be sent in a variable, and is kept as a signed number.',
      ...judgedByItem('number'),
    }),
    durationMs: t.float({
      description: "How long it took in milliseconds, by the reporter's own clock; not negative.",
      ...judgedByItem('number'),
    }),
    progress: t.field({ type: ProgressInput, description: 'How far the step has come.' }),
    error: t.field({ type: StepErrorInput, description: 'Why the step did not succeed.' }),
    source: t.string({
      description: `Who reports, such as \`release-service\` or \`agent/1.4.2\`. ${upTo(LIMITS.source)}`,
    }),
    labels: t.field({ type: 'JSONObject', description: LABELS }),
  }),
});

export const StartTaskInput = builder.inputType('StartTaskInput', {
  description:
    'What is declared about a task. A field that is absent or null keeps the value that it had.',
  fields: (t) => ({
    id: t.id({
      required: true,
      description: `The release system's id. ${upTo(LIMITS.taskId)}`,
    }),
    service: t.string({ description: `What is deployed. ${upTo(LIMITS.taskName)}` }),
    version: t.string({ description: `Which version. ${upTo(LIMITS.taskName)}` }),
    environment: t.string({
      description: `Where it is deployed to, such as \`production\`. ${upTo(LIMITS.taskName)}`,
    }),
    title: t.string({ description: `A title for people. ${upTo(LIMITS.title)}` }),
    createdBy: t.string({ description: `Who or what starts it. ${upTo(LIMITS.taskName)}` }),
    plan: t.stringList({
      description: `The steps in order, each once: 1 to ${LIMITS.planSteps}. Default: backup, download, unpack, env-init, nginx-offline, service-start, nginx-online.`,
    }),
    hosts: t.stringList({
      description: `The names of the hosts that it is for, at most ${LIMITS.hosts.toLocaleString('en')}; they are PENDING until they report. A name that no host can have is left out, and is told in \`leftOut\`. A name with \`*\` in it refuses the whole declaration, for it is not clear which hosts are meant.`,
    }),
    expectedHosts: t.int({
      description: `How many hosts it is for, if they are not named: 0 to ${LIMITS.expectedHosts.toLocaleString('en')}. The task ends when that many hosts have ended.`,
    }),
    labels: t.field({ type: 'JSONObject', description: LABELS }),
    at: t.field({ type: 'DateTime', description: AT }),
  }),
});

export const FinishTaskInput = builder.inputType('FinishTaskInput', {
  description: 'How a task ended.',
  fields: (t) => ({
    id: t.id({
      required: true,
      description: `The release system's id. ${upTo(LIMITS.taskId)}`,
    }),
    status: t.field({
      type: TaskStatusEnum,
      description: 'SUCCEEDED, PARTIAL, FAILED or CANCELLED. Absent: derived from its runs.',
    }),
    message: t.string({
      description: `A remark on how it ended; secrets are redacted. ${upTo(LIMITS.message)}`,
    }),
    at: t.field({ type: 'DateTime', description: AT }),
  }),
});

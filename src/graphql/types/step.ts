/** Step: one step of a task on one host, shown by its highest attempt. */
import { ANSWER_MAX_TEXT } from '../../domain/answer-bounds.ts';
import { badInput } from '../../domain/errors.ts';
import { isStale, type StepView } from '../../domain/fold/views.ts';
import { builder } from '../builder.ts';
import {
  type Connection,
  connectionTypes,
  loadTaskRows,
  PAGE_MAX,
  pageArgs,
  pageCost,
} from '../connection.ts';
import { objectId } from '../ids.ts';
import {
  AttemptRef,
  EventRef,
  HostRef,
  ProgressRef,
  StepErrorRef,
  StepRef,
  TaskRef,
} from '../refs.ts';
import { EventOrderEnum, StepOrderEnum, StepStatusEnum } from './enums.ts';
import { eventShape } from './event.ts';
import { EventConnection, eventArgs, loadEventsOf } from './event-list.ts';
import { readStepFilter } from './filter-values.ts';
import { EventFilterInput, StepFilterInput } from './filters.ts';
import { loadHost, loadTaskOf } from './rows.ts';

const LINES_DEFAULT = 10;
const LINES_MAX = 100;

StepRef.implement({
  description:
    'One step of a task on one host. Its fields are those of its latest attempt, the one with the highest number; `attempts` has the earlier ones too.',
  fields: (t) => ({
    id: t.id({
      description:
        'Unique among steps; the same for the same task, host and name. At most 22 characters.',
      resolve: ({ taskId, host, name }) => objectId('Step', taskId, host, name),
    }),
    taskId: t.exposeID('taskId', { description: "Its task's id. At most 256 characters." }),
    hostName: t.exposeString('host', { description: "Its host's name. At most 255 characters." }),
    task: t.field({
      type: TaskRef,
      description: 'Its task.',
      resolve: ({ taskId }, _args, context) => loadTaskOf(context, taskId),
    }),
    host: t.field({
      type: HostRef,
      description: 'Its host.',
      resolve: ({ host }, _args, context) => loadHost(context, host),
    }),
    name: t.exposeString('name', {
      description: 'Its name, unique within the run. At most 128 characters.',
    }),
    index: t.exposeInt('index', {
      nullable: true,
      description: "Its place in the task's plan, from 0; null for a step outside the plan.",
    }),
    attempt: t.exposeInt('attempt', {
      description: 'The number of its latest attempt, from 1.',
    }),
    attempts: t.expose('attempts', {
      type: [AttemptRef],
      description:
        'Its attempts in order; empty if none has begun. At most 100, the latest (fewer if the run has more than 3 steps); only the latest three have their error. The events of all attempts are in the log.',
      complexity: { field: 1, multiplier: 2 },
    }),
    status: t.expose('status', {
      type: StepStatusEnum,
      description:
        'Its status. A terminal status wins over RUNNING, in whatever order they arrive.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it began: the earliest time reported.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended.',
    }),
    durationMs: t.exposeFloat('durationMs', {
      nullable: true,
      description:
        "How long it took, in milliseconds: the reporter's own figure, else the difference of two times of the same source, else null. Never negative.",
    }),
    stale: t.boolean({
      description:
        'Whether it is RUNNING and nothing was received about it for longer than the server allows (SHIPLOG_STALE_AFTER_SECONDS).',
      resolve: (step, _args, { now, settings }) => isStale(step, now, settings.staleAfterMs),
    }),
    progress: t.expose('progress', {
      type: ProgressRef,
      nullable: true,
      description: 'How far it has come, as last reported.',
    }),
    command: t.exposeString('command', {
      nullable: true,
      description: 'The command line, secrets redacted. At most 32,768 characters.',
    }),
    params: t.expose('params', {
      type: 'JSONObject',
      nullable: true,
      description: 'Parameters of the command, secrets redacted. At most 16 KiB of JSON.',
    }),
    exitCode: t.exposeInt('exitCode', {
      nullable: true,
      description:
        'Exit code, as a signed number of 32 bits: 3221225477 of Windows is -1073741819.',
    }),
    error: t.expose('error', {
      type: StepErrorRef,
      nullable: true,
      description: 'Why it did not succeed.',
    }),
    source: t.exposeString('source', {
      nullable: true,
      description:
        'Who reported about it last, such as `release-service` or `agent/1.4.2`. At most 128 characters.',
    }),
    lastLines: t.field({
      type: [EventRef],
      description: `The last lines that its latest attempt printed, in order. At most ${LINES_MAX}; fewer of each step if the lines of all steps in an answer would be over ${ANSWER_MAX_TEXT}.`,
      args: {
        count: t.arg.int({
          defaultValue: LINES_DEFAULT,
          description: `How many lines: 0 to ${LINES_MAX}.`,
        }),
      },
      complexity: ({ count }) => ({ field: 1, multiplier: count ?? LINES_DEFAULT }),
      resolve: async ({ taskId, host, name }, args, context) => {
        const count = args.count ?? LINES_DEFAULT;
        if (count < 0 || count > LINES_MAX) {
          throw badInput(`count must be from 0 to ${LINES_MAX}`, 'count');
        }
        if (count === 0) return [];
        const lines = await context.loaders.lastLines.load({ taskId, host, step: name, count });
        context.countAnswered(lines);
        return lines.map((event) => eventShape(event));
      },
    }),
    events: t.field({
      type: EventConnection,
      description: 'Its events, of all attempts.',
      args: {
        filter: t.arg({
          type: EventFilterInput,
          description: 'Which of its events.',
        }),
        order: t.arg({ type: EventOrderEnum, defaultValue: 'LOG', description: 'In which order.' }),
        ...eventArgs,
      },
      complexity: pageCost,
      resolve: ({ taskId, host, name }, args, context, info) =>
        loadEventsOf(context, { taskId, host, step: name }, args, info),
    }),
  }),
});

AttemptRef.implement({
  description: 'One attempt at a step.',
  fields: (t) => ({
    attempt: t.exposeInt('attempt', { description: 'Its number, from 1.' }),
    status: t.expose('status', {
      type: StepStatusEnum,
      description: 'Its status.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it began: the earliest time reported.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended.',
    }),
    durationMs: t.exposeFloat('durationMs', {
      nullable: true,
      description: 'How long it took, in milliseconds; as Step.durationMs.',
    }),
    exitCode: t.exposeInt('exitCode', {
      nullable: true,
      description:
        'Exit code, as a signed number of 32 bits: 3221225477 of Windows is -1073741819.',
    }),
    error: t.expose('error', {
      type: StepErrorRef,
      nullable: true,
      description: 'Why it did not succeed.',
    }),
  }),
});

StepErrorRef.implement({
  description: 'Why a step did not succeed.',
  fields: (t) => ({
    code: t.exposeString('code', {
      nullable: true,
      description: "The reporter's own code, for grouping. At most 256 characters.",
    }),
    message: t.exposeString('message', {
      description: 'Text, secrets redacted. At most 32,768 characters.',
    }),
  }),
});

ProgressRef.implement({
  description: 'How far a step has come.',
  fields: (t) => ({
    done: t.exposeFloat('done', { description: 'How much is done, in `unit`.' }),
    total: t.exposeFloat('total', {
      nullable: true,
      description: 'How much there is to do, in `unit`; null if that is not known.',
    }),
    unit: t.exposeString('unit', {
      nullable: true,
      description: 'What is counted: `MiB`, `files`, … At most 64 characters.',
    }),
  }),
});

const StepConnection = connectionTypes<StepView, Connection<StepView>>(
  'Step',
  'the steps',
  StepRef,
);
StepConnection.implement({ description: 'A page of steps.' });

builder.queryField('steps', (t) =>
  t.field({
    type: StepConnection,
    description: 'Steps across tasks and hosts: what failed, what is slow, what runs now.',
    args: {
      filter: t.arg({ type: StepFilterInput, required: true, description: 'Which steps.' }),
      orderBy: t.arg({
        type: StepOrderEnum,
        defaultValue: 'STARTED_DESC',
        description: 'In which order.',
      }),
      ...pageArgs(PAGE_MAX),
    },
    complexity: pageCost,
    resolve: async (_root, args, context, info) => {
      const filter = readStepFilter(args.filter);
      const order = args.orderBy ?? 'STARTED_DESC';
      const asked = { list: `steps:${order}`, taskId: filter.taskId, args, info };
      const steps = await loadTaskRows<StepView>(context.store.engine, asked, (page) =>
        context.loaders.steps.load({ filter, order, page }),
      );
      context.countAnswered(steps.page.rows.map(({ node }) => node));
      return steps;
    },
  }),
);

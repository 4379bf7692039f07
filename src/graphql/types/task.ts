/** Task: one deployment. */
import { isStale, type TaskView } from '../../domain/fold/views.ts';
import { builder } from '../builder.ts';
import {
  type Connection,
  connectionTypes,
  loadPage,
  PAGE_MAX,
  pageArgs,
  pageCost,
  pageRequest,
  wantsTotal,
} from '../connection.ts';
import {
  FailureGroupRef,
  MatrixRef,
  RunCountsRef,
  RunRef,
  StepSummaryRef,
  TaskRef,
} from '../refs.ts';
import { EventOrderEnum, RunOrderEnum, TaskOrderEnum, TaskStatusEnum } from './enums.ts';
import { EventConnection, eventArgs, loadEventsOf } from './event-list.ts';
import { groupsAsked, groupsCost, groupsFirst } from './failure.ts';
import { readRunFilter, readTaskFilter, within } from './filter-values.ts';
import { EventFilterInput, RunFilterInput, TaskFilterInput } from './filters.ts';
import { loadMatrix, MATRIX_COST } from './matrix.ts';
import { loadRuns, RunConnection } from './run.ts';

TaskRef.implement({
  description: 'One deployment, under the id that the release system gave it.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: "The release system's id, unique. At most 256 characters.",
    }),
    service: t.exposeString('service', {
      nullable: true,
      description: 'What is deployed. At most 256 characters.',
    }),
    version: t.exposeString('version', {
      nullable: true,
      description: 'Which version is deployed. At most 256 characters.',
    }),
    environment: t.exposeString('environment', {
      nullable: true,
      description: 'Where it is deployed to, such as `production`. At most 256 characters.',
    }),
    title: t.exposeString('title', {
      nullable: true,
      description: 'A title for people. At most 1,024 characters.',
    }),
    createdBy: t.exposeString('createdBy', {
      nullable: true,
      description: 'Who or what started it. At most 256 characters.',
    }),
    labels: t.expose('labels', {
      type: 'JSONObject',
      description:
        'Flat labels: texts, numbers and booleans. At most 64, with at most 1,024 characters each.',
    }),
    plan: t.exposeStringList('plan', {
      description:
        'The names of the planned steps in order, as startTask gave them. If it gave none: the seven default steps if every step that was reported is one of them, else the steps that were reported, in the order of their first events; such a task ends by finishTask or by being idle. At most 100, with at most 128 characters each.',
    }),
    status: t.expose('status', {
      type: TaskStatusEnum,
      description: 'Its status.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'The message of finishTask. At most 65,536 characters.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description:
        'When startTask declared it, else the time of the first that was reported of it.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the first step began on any host.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When it ended: by finishTask, with the last of its expected hosts, or by being idle for too long.',
    }),
    durationMs: t.exposeFloat('durationMs', {
      nullable: true,
      description:
        'Milliseconds from its beginning to its end, as far as one clock has told both; null until it is over.',
    }),
    expectedHosts: t.exposeInt('expectedHosts', {
      nullable: true,
      description:
        'How many hosts it is for: expectedHosts of startTask, else how many hosts that named; null if neither was given.',
    }),
    lastEventAt: t.expose('lastEventAt', {
      type: 'DateTime',
      nullable: true,
      description: "When the latest event was received, on the server's clock.",
    }),
    stale: t.boolean({
      description:
        'Whether it is RUNNING and nothing was received about it for longer than the server allows (SHIPLOG_STALE_AFTER_SECONDS).',
      resolve: (task, _args, { now, settings }) => isStale(task, now, settings.staleAfterMs),
    }),
    runCounts: t.field({
      type: RunCountsRef,
      description: 'Its hosts by status.',
      complexity: { field: 5, multiplier: 1 },
      resolve: async ({ id }, _args, context) =>
        (await context.loaders.taskStats.load(id)).runCounts,
    }),
    stepSummaries: t.field({
      type: [StepSummaryRef],
      description:
        'For each step, how it went over all hosts: planned steps in order, then others by name. At most 1,000; any further steps are in the runs.',
      complexity: { field: 5, multiplier: 7 },
      resolve: async ({ id }, _args, context) =>
        (await context.loaders.taskStats.load(id)).stepSummaries,
    }),
    runs: t.field({
      type: RunConnection,
      description: 'Its hosts, one run each.',
      args: {
        filter: t.arg({ type: RunFilterInput, description: 'Which of its runs.' }),
        orderBy: t.arg({
          type: RunOrderEnum,
          defaultValue: 'HOST_ASC',
          description: 'In which order.',
        }),
        ...pageArgs(PAGE_MAX),
      },
      complexity: pageCost,
      resolve: ({ id }, args, context, info) =>
        loadRuns(
          context,
          within(readRunFilter(args.filter), { taskId: id }),
          args.orderBy ?? 'HOST_ASC',
          args,
          info,
        ),
    }),
    run: t.field({
      type: RunRef,
      nullable: true,
      description: 'Its run on one host; null where the host is neither planned nor reported.',
      args: { host: t.arg.string({ required: true, description: "The host's name, exactly." }) },
      resolve: ({ id }, { host }, context) => context.loaders.run.load({ taskId: id, host }),
    }),
    matrix: t.field({
      type: MatrixRef,
      description:
        'Every host × step in one compact answer. Counts as 500 in the complexity of an operation.',
      complexity: { field: MATRIX_COST, multiplier: 1 },
      resolve: ({ id }, _args, context) => loadMatrix(context, id),
    }),
    events: t.field({
      type: EventConnection,
      description: 'Its events, including TASK events.',
      args: {
        filter: t.arg({
          type: EventFilterInput,
          description: 'Which of its events.',
        }),
        order: t.arg({ type: EventOrderEnum, defaultValue: 'LOG', description: 'In which order.' }),
        ...eventArgs,
      },
      complexity: pageCost,
      resolve: ({ id }, args, context, info) => loadEventsOf(context, { taskId: id }, args, info),
    }),
    failureGroups: t.field({
      type: [FailureGroupRef],
      description:
        'Its failed steps grouped by the normalised text of their failure. At most 100 groups.',
      args: groupsFirst,
      complexity: groupsCost,
      resolve: ({ id }, args, context) =>
        context.loaders.failureGroups.load({ filter: { taskId: id }, first: groupsAsked(args) }),
    }),
  }),
});

RunCountsRef.implement({
  description: "A task's hosts by status.",
  fields: (t) => ({
    total: t.exposeInt('total', { description: 'All hosts, planned or reported.' }),
    pending: t.exposeInt('pending', { description: 'Hosts whose run is PENDING.' }),
    running: t.exposeInt('running', {
      description: 'Hosts whose run is RUNNING, including stale ones.',
    }),
    succeeded: t.exposeInt('succeeded', { description: 'Hosts whose run is SUCCEEDED.' }),
    failed: t.exposeInt('failed', { description: 'Hosts whose run is FAILED.' }),
    cancelled: t.exposeInt('cancelled', { description: 'Hosts whose run is CANCELLED.' }),
    notRun: t.exposeInt('notRun', { description: 'Hosts whose run is NOT_RUN.' }),
    stale: t.exposeInt('stale', { description: 'How many of the running ones are stale.' }),
  }),
});

StepSummaryRef.implement({
  description:
    'One step over all hosts of a task: how many hosts have which status, and how long it takes.',
  fields: (t) => ({
    step: t.exposeString('step', { description: "The step's name. At most 128 characters." }),
    pending: t.exposeInt('pending', { description: 'Hosts on which it is PENDING.' }),
    running: t.exposeInt('running', { description: 'Hosts on which it is RUNNING.' }),
    succeeded: t.exposeInt('succeeded', { description: 'Hosts on which it SUCCEEDED.' }),
    failed: t.exposeInt('failed', { description: 'Hosts on which it FAILED.' }),
    skipped: t.exposeInt('skipped', { description: 'Hosts on which it was SKIPPED.' }),
    timedOut: t.exposeInt('timedOut', { description: 'Hosts on which it TIMED_OUT.' }),
    cancelled: t.exposeInt('cancelled', { description: 'Hosts on which it was CANCELLED.' }),
    notRun: t.exposeInt('notRun', { description: 'Hosts on which it was NOT_RUN.' }),
    p50Ms: t.exposeFloat('p50Ms', {
      nullable: true,
      description: 'Median duration in milliseconds; null where none is known.',
    }),
    p95Ms: t.exposeFloat('p95Ms', {
      nullable: true,
      description: '95 % of the hosts took at most this long, in milliseconds.',
    }),
    maxMs: t.exposeFloat('maxMs', {
      nullable: true,
      description: 'The longest duration in milliseconds.',
    }),
  }),
});

const TaskConnection = connectionTypes<TaskView, Connection<TaskView>>(
  'Task',
  'the tasks',
  TaskRef,
);
TaskConnection.implement({ description: 'A page of tasks.' });

builder.queryFields((t) => ({
  task: t.field({
    type: TaskRef,
    nullable: true,
    description: 'A task by id; null where it is not known, or no longer kept.',
    args: { id: t.arg.id({ required: true, description: "The release system's id, exactly." }) },
    resolve: (_root, { id }, context) => context.loaders.task.load(id),
  }),
  tasks: t.field({
    type: TaskConnection,
    description: 'Tasks.',
    args: {
      filter: t.arg({ type: TaskFilterInput, description: 'Which tasks.' }),
      orderBy: t.arg({
        type: TaskOrderEnum,
        defaultValue: 'CREATED_DESC',
        description: 'In which order.',
      }),
      ...pageArgs(PAGE_MAX),
    },
    complexity: pageCost,
    resolve: async (_root, args, context, info) => {
      const filter = readTaskFilter(args.filter);
      const order = args.orderBy ?? 'CREATED_DESC';
      const list = `tasks:${order}`;
      const request = pageRequest(context.store.engine, args, list, PAGE_MAX, wantsTotal(info));
      const page = await loadPage(request, (page) => context.reads.tasks({ filter, order, page }));
      context.countAnswered(page.rows.map(({ node }) => node));
      for (const { node } of page.rows) context.loaders.task.prime(node.id, node);
      return { list, page };
    },
  }),
}));

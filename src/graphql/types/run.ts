/** Run: one task on one host. */
import type { GraphQLResolveInfo } from 'graphql';
import { isStale, type RunView } from '../../domain/fold/views.ts';
import type { RunFilter } from '../../domain/search/filter.ts';
import type { RunOrder } from '../../store/store.ts';
import { builder } from '../builder.ts';
import {
  type Connection,
  connectionTypes,
  loadTaskRows,
  PAGE_MAX,
  type PageArgs,
  pageArgs,
  pageCost,
} from '../connection.ts';
import type { Context } from '../context.ts';
import { objectId } from '../ids.ts';
import { CompletenessRef, HostRef, RunRef, SequenceRangeRef, StepRef, TaskRef } from '../refs.ts';
import { RunOrderEnum, RunStatusEnum } from './enums.ts';
import { readRunFilter } from './filter-values.ts';
import { RunFilterInput } from './filters.ts';
import { loadHost, loadTaskOf } from './rows.ts';

/** Steps that a run usually has: what a list of them is counted as. */
const STEPS_TYPICAL = 7;

RunRef.implement({
  description: 'One task on one host.',
  fields: (t) => ({
    id: t.id({
      description: 'Unique among runs; the same for the same task and host. At most 22 characters.',
      resolve: ({ taskId, host }) => objectId('Run', taskId, host),
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
    status: t.expose('status', {
      type: RunStatusEnum,
      description: 'Its status.',
    }),
    currentStep: t.exposeString('currentStep', {
      nullable: true,
      description:
        'While RUNNING: the step that began last and has not ended, else the next one planned. When FAILED: the step that failed. Otherwise null. At most 128 characters.',
    }),
    steps: t.expose('steps', {
      type: [StepRef],
      description:
        'Planned steps in order, then others in the order in which they began. At most 600: the plan has at most 100, and of other steps the first 500 by name are kept. The events of all of them are in the log.',
      complexity: { field: 1, multiplier: STEPS_TYPICAL },
    }),
    step: t.field({
      type: StepRef,
      nullable: true,
      description: 'A step by name; null where it is neither planned nor reported.',
      args: { name: t.arg.string({ required: true, description: 'Its name, exactly.' }) },
      resolve: ({ steps }, { name }) => steps.find((step) => step.name === name) ?? null,
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it began: the earliest time of all attempts of its steps.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The latest end of a step, once the run has ended.',
    }),
    durationMs: t.exposeFloat('durationMs', {
      nullable: true,
      description:
        'How long it took, in milliseconds, earlier attempts included: from the first time to the last end that one source reported, and of several sources the longest. Null while it runs, and if no source reported both. Never negative.',
    }),
    lastEventAt: t.expose('lastEventAt', {
      type: 'DateTime',
      nullable: true,
      description: "When the latest event was received, on the server's clock.",
    }),
    stale: t.boolean({
      description:
        'Whether it is RUNNING and nothing was received about it for longer than the server allows (SHIPLOG_STALE_AFTER_SECONDS).',
      resolve: (run, _args, { now, settings }) => isStale(run, now, settings.staleAfterMs),
    }),
    outOfRotationSince: t.expose('outOfRotationSince', {
      type: 'DateTime',
      nullable: true,
      description:
        'Since when the host takes no traffic: nginx-offline is done and nginx-online is not. Null: it takes traffic.',
    }),
    completeness: t.field({
      type: CompletenessRef,
      description: 'Whether all numbered events about this run have arrived.',
      complexity: { field: 5, multiplier: 1 },
      resolve: ({ taskId, host }, _args, context) =>
        context.loaders.completeness.load({ taskId, host }),
    }),
  }),
});

CompletenessRef.implement({
  description: 'Whether the numbered events of a run are all there.',
  fields: (t) => ({
    received: t.exposeInt('received', { description: 'Events received, numbered or not.' }),
    complete: t.exposeBoolean('complete', {
      nullable: true,
      description:
        'true: of each writer, no number below its highest is missing. Null if no writer numbers its events.',
    }),
    missing: t.expose('missing', {
      type: [SequenceRangeRef],
      description: 'The missing numbers. At most 100 ranges.',
    }),
  }),
});

SequenceRangeRef.implement({
  description: "Consecutive numbers of a writer's events.",
  fields: (t) => ({
    writer: t.exposeID('writer', { description: 'The reporting process. At most 128 characters.' }),
    from: t.exposeInt('from', { description: 'The first number.' }),
    to: t.exposeInt('to', { description: 'The last number.' }),
  }),
});

export const RunConnection = connectionTypes<RunView, Connection<RunView>>(
  'Run',
  'the runs',
  RunRef,
);
RunConnection.implement({ description: 'A page of runs.' });

/** A page of runs; pages that are asked for side by side are one store call. */
export async function loadRuns(
  context: Context,
  filter: RunFilter,
  order: RunOrder,
  args: PageArgs,
  info: GraphQLResolveInfo,
): Promise<Connection<RunView>> {
  const asked = { list: `runs:${order}`, taskId: filter.taskId, args, info };
  const runs = await loadTaskRows<RunView>(context.store.engine, asked, (page) =>
    context.loaders.runs.load({ filter, order, page }),
  );
  context.countAnswered(runs.page.rows.flatMap(({ node }) => node.steps));
  return runs;
}

builder.queryField('runs', (t) =>
  t.field({
    type: RunConnection,
    description: 'Which deployments touched these hosts, and how they went.',
    args: {
      filter: t.arg({ type: RunFilterInput, required: true, description: 'Which runs.' }),
      orderBy: t.arg({
        type: RunOrderEnum,
        defaultValue: 'HOST_ASC',
        description: 'In which order.',
      }),
      ...pageArgs(PAGE_MAX),
    },
    complexity: pageCost,
    resolve: (_root, args, context, info) =>
      loadRuns(context, readRunFilter(args.filter), args.orderBy ?? 'HOST_ASC', args, info),
  }),
);

/** Host, and lists of hosts. */
import { badInput } from '../../domain/errors.ts';
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
import { HostRef, type HostShape, ReliabilityRef } from '../refs.ts';
import { RunOrderEnum } from './enums.ts';
import { readHostFilter, readMoment, readRunFilter, within } from './filter-values.ts';
import { HostFilterInput, RunFilterInput } from './filters.ts';
import { loadRuns, RunConnection } from './run.ts';

HostRef.implement({
  description: 'A machine that tasks run on. Known from what is reported about it.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description: 'Its name, as reported; unique. At most 255 characters.',
    }),
    labels: t.expose('labels', {
      type: 'JSONObject',
      description:
        'All labels that its events carried, the latest value of each. At most 64, with at most 1,024 characters each.',
    }),
    firstSeenAt: t.expose('firstSeenAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its first event was received; null for a host that only a plan names.',
    }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its latest event was received; null for a host that only a plan names.',
    }),
    agent: t.exposeString('agent', {
      nullable: true,
      description:
        'Which version of the agent runs there: the latest source of its events that begins with `agent`. At most 128 characters.',
    }),
    runs: t.field({
      type: RunConnection,
      description: 'What was deployed to this host.',
      args: {
        filter: t.arg({ type: RunFilterInput, description: 'Which of its runs.' }),
        orderBy: t.arg({
          type: RunOrderEnum,
          defaultValue: 'STARTED_DESC',
          description: 'In which order.',
        }),
        ...pageArgs(PAGE_MAX),
      },
      complexity: pageCost,
      resolve: ({ name }, args, context, info) =>
        loadRuns(
          context,
          within(readRunFilter(args.filter), { host: name }),
          args.orderBy ?? 'STARTED_DESC',
          args,
          info,
        ),
    }),
    reliability: t.field({
      type: ReliabilityRef,
      description: 'How often deployments to this host fail.',
      args: {
        from: t.arg({
          type: 'DateTime',
          description:
            'Only runs whose startedAt is this moment or later. Default: all that are kept.',
        }),
        to: t.arg({
          type: 'DateTime',
          description: 'Only runs whose startedAt is before this moment.',
        }),
      },
      complexity: { field: 10, multiplier: 1 },
      resolve: ({ name }, args, context) => {
        const from = readMoment(args.from);
        const to = readMoment(args.to);
        if (from !== null && to !== null && from >= to) {
          throw badInput('to must be later than from', 'to');
        }
        return context.loaders.reliability.load({ host: name, from, to });
      },
    }),
  }),
});

ReliabilityRef.implement({
  description: 'How often deployments to a host fail.',
  fields: (t) => ({
    runs: t.exposeInt('runs', { description: 'Runs that began in the range.' }),
    failed: t.exposeInt('failed', { description: 'Those of them that failed.' }),
    failureRate: t.exposeFloat('failureRate', {
      nullable: true,
      description: 'failed / runs, from 0 to 1; null where there is no run.',
    }),
    worstStep: t.exposeString('worstStep', {
      nullable: true,
      description:
        'The step that failed most often; null where none failed. At most 128 characters.',
    }),
  }),
});

const HostConnection = connectionTypes<HostShape, Connection<HostShape>>(
  'Host',
  'the hosts',
  HostRef,
);
HostConnection.implement({ description: 'A page of hosts, by name.' });

builder.queryFields((t) => ({
  host: t.field({
    type: HostRef,
    nullable: true,
    description: 'A host by name; null where nothing was reported about it.',
    args: { name: t.arg.string({ required: true, description: 'Its name, exactly.' }) },
    resolve: (_root, { name }, context) => context.loaders.host.load(name),
  }),
  hosts: t.field({
    type: HostConnection,
    description: 'Hosts by name.',
    args: {
      filter: t.arg({ type: HostFilterInput, description: 'Which hosts.' }),
      ...pageArgs(PAGE_MAX),
    },
    complexity: pageCost,
    resolve: async (_root, args, context, info) => {
      const filter = readHostFilter(args.filter);
      const list = 'hosts:NAME_ASC';
      const request = pageRequest(context.store.engine, args, list, PAGE_MAX, wantsTotal(info));
      const page = await loadPage(request, (page) => context.store.hosts({ filter, page }));
      context.countAnswered(page.rows.map(({ node }) => node));
      return { list, page };
    },
  }),
}));

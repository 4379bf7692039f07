/** FailureGroup: failed steps with the same cause. */
import { badInput } from '../../domain/errors.ts';
import { builder } from '../builder.ts';
import { FailureGroupRef, StepRef } from '../refs.ts';
import { readStepFilter } from './filter-values.ts';
import { StepFilterInput } from './filters.ts';

const GROUPS_DEFAULT = 20;
const GROUPS_MAX = 100;

interface GroupsArgs {
  first?: number | null | undefined;
}

export const groupsFirst = builder.args((t) => ({
  first: t.int({
    defaultValue: GROUPS_DEFAULT,
    description: `How many groups, the largest first: 1 to ${GROUPS_MAX}.`,
  }),
}));

export function groupsAsked({ first }: GroupsArgs): number {
  const groups = first ?? GROUPS_DEFAULT;
  if (groups < 1 || groups > GROUPS_MAX) {
    throw badInput(`first must be from 1 to ${GROUPS_MAX}`, 'first');
  }
  return groups;
}

export function groupsCost({ first }: GroupsArgs): { field: number; multiplier: number } {
  return { field: 50, multiplier: first ?? GROUPS_DEFAULT };
}

FailureGroupRef.implement({
  description:
    'Failed and timed-out steps whose failure has the same text, once what differs each time (numbers, addresses, ids, names) is taken out.',
  fields: (t) => ({
    fingerprint: t.exposeString('fingerprint', {
      description:
        'The same for the same normalised text, in every task and on every server. At most 16 characters.',
    }),
    message: t.exposeString('message', {
      description:
        'The normalised text of the failure, of which the first 1,000 characters are looked at. At most 6,000 characters.',
    }),
    count: t.exposeInt('count', { description: 'Steps in the group.' }),
    hostCount: t.exposeInt('hostCount', { description: 'Different hosts among them.' }),
    hosts: t.exposeStringList('hosts', { description: 'Their hosts, newest first. At most 20.' }),
    steps: t.exposeStringList('steps', {
      description: 'The names of the steps, newest first. At most 20.',
    }),
    tasks: t.exposeIDList('tasks', { description: 'Their tasks, newest first. At most 20.' }),
    firstAt: t.expose('firstAt', {
      type: 'DateTime',
      description: 'When the first of them failed.',
    }),
    lastAt: t.expose('lastAt', {
      type: 'DateTime',
      description: 'When the latest of them failed.',
    }),
    sample: t.expose('sample', {
      type: StepRef,
      description: 'One of the steps, as an example.',
    }),
  }),
});

builder.queryField('failureGroups', (t) =>
  t.field({
    type: [FailureGroupRef],
    description:
      'Failed and timed-out steps grouped by the normalised text of their failure. At most 100 groups.',
    args: {
      filter: t.arg({ type: StepFilterInput, required: true, description: 'Which steps.' }),
      ...groupsFirst,
    },
    complexity: groupsCost,
    resolve: (_root, args, context) =>
      context.loaders.failureGroups.load({
        filter: readStepFilter(args.filter),
        first: groupsAsked(args),
      }),
  }),
);

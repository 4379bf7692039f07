/** StepStats: how often steps fail and how long they take, as a flat list for dashboards. */
import { builder } from '../builder.ts';
import { StepStatsRef } from '../refs.ts';
import { StepGroupByEnum } from './enums.ts';
import { readStepFilter } from './filter-values.ts';
import { StepFilterInput } from './filters.ts';

/** Counted as so many groups; dashboards have some dozens. */
const GROUPS_TYPICAL = 50;

StepStatsRef.implement({
  description:
    'Statistics of a group of steps that began. Durations are those of the steps that have one, and null if none has.',
  fields: (t) => ({
    key: t.exposeString('key', {
      description: 'Identifies the group within the answer. At most 515 characters.',
    }),
    step: t.exposeString('step', {
      nullable: true,
      description: "The step's name, if grouped by step. At most 128 characters.",
    }),
    host: t.exposeString('host', {
      nullable: true,
      description: "The host's name, if grouped by host. At most 255 characters.",
    }),
    service: t.exposeString('service', {
      nullable: true,
      description:
        'The service, if grouped by service; null also for tasks without one. At most 256 characters.',
    }),
    day: t.expose('day', {
      type: 'DateTime',
      nullable: true,
      description: 'The beginning of the UTC day, if grouped by day.',
    }),
    count: t.exposeInt('count', { description: 'Steps in the group.' }),
    succeeded: t.exposeInt('succeeded', { description: 'Those that SUCCEEDED.' }),
    failed: t.exposeInt('failed', { description: 'Those that FAILED or TIMED_OUT.' }),
    p50Ms: t.exposeFloat('p50Ms', {
      nullable: true,
      description: 'The median duration, in whole milliseconds: one that occurred (nearest rank).',
    }),
    p90Ms: t.exposeFloat('p90Ms', {
      nullable: true,
      description:
        '90 % of the durations are at most this long. In whole milliseconds: one that occurred (nearest rank).',
    }),
    p95Ms: t.exposeFloat('p95Ms', {
      nullable: true,
      description:
        '95 % of the durations are at most this long. In whole milliseconds: one that occurred (nearest rank).',
    }),
    p99Ms: t.exposeFloat('p99Ms', {
      nullable: true,
      description:
        '99 % of the durations are at most this long. In whole milliseconds: one that occurred (nearest rank).',
    }),
    maxMs: t.exposeFloat('maxMs', {
      nullable: true,
      description: 'The longest duration, in whole milliseconds.',
    }),
    avgMs: t.exposeFloat('avgMs', {
      nullable: true,
      description: 'The mean duration, in milliseconds.',
    }),
  }),
});

builder.queryField('stepStats', (t) =>
  t.field({
    type: [StepStatsRef],
    description:
      'Statistics of steps that began, in groups. At most 1,000 groups, those with most steps: the ' +
      'slowest of more hosts may not be among them, so narrow the filter to find it.',
    args: {
      filter: t.arg({ type: StepFilterInput, required: true, description: 'Which steps.' }),
      groupBy: t.arg({
        type: StepGroupByEnum,
        defaultValue: 'STEP',
        description: 'What a group is.',
      }),
    },
    complexity: { field: 100, multiplier: GROUPS_TYPICAL },
    resolve: (_root, args, context) =>
      context.reads.stepStats(readStepFilter(args.filter), args.groupBy ?? 'STEP'),
  }),
);

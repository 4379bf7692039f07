/** EventHistogram: how many events there were over time. */
import { badInput } from '../../domain/errors.ts';
import type { LogLevel } from '../../domain/event/event.ts';
import { builder } from '../builder.ts';
import { HistogramRef } from '../refs.ts';
import { LogLevelEnum } from './enums.ts';
import { lastDayUnlessSaid } from './event-list.ts';
import { readEventFilter } from './filter-values.ts';
import { EventFilterInput } from './filters.ts';

const BUCKETS_MAX = 500;
/** 0000-01-01T00:00:00Z: an interval that holds it may begin before what DateTime can write. */
const EARLIEST = -62_167_219_200_000;
const BUCKETS_DEFAULT = 60;

const LevelCount = builder.objectRef<{ level: LogLevel; count: number }>('LevelCount').implement({
  description: 'How many events have a level.',
  fields: (t) => ({
    level: t.expose('level', {
      type: LogLevelEnum,
      description: 'The level.',
    }),
    count: t.exposeFloat('count', { description: 'How many events it has.' }),
  }),
});

const HistogramBucket = builder
  .objectRef<{ at: number; total: number; byLevel: { level: string; count: number }[] }>(
    'HistogramBucket',
  )
  .implement({
    description: 'The events of one interval.',
    fields: (t) => ({
      at: t.field({
        type: 'DateTime',
        description:
          'Where the interval begins; it ends intervalMs later. Not before the year 0000.',
        resolve: ({ at }) => Math.max(at, EARLIEST),
      }),
      total: t.exposeFloat('total', { description: 'How many events it has.' }),
      byLevel: t.field({
        type: [LevelCount],
        description: 'Its events by level, at most 6; levels that do not occur are left out.',
        resolve: ({ byLevel }) => byLevel as { level: LogLevel; count: number }[],
      }),
    }),
  });

HistogramRef.implement({
  description: 'How many events there were over time.',
  fields: (t) => ({
    intervalMs: t.exposeFloat('intervalMs', { description: 'Width of a bucket in milliseconds.' }),
    buckets: t.expose('buckets', {
      type: [HistogramBucket],
      description: `Every interval of the range in order, empty ones too. At most ${BUCKETS_MAX}.`,
      complexity: { field: 1, multiplier: BUCKETS_DEFAULT },
    }),
    total: t.exposeFloat('total', {
      description: 'Events in all buckets: a whole number, which may be beyond 2^31.',
    }),
  }),
});

builder.queryField('eventHistogram', (t) =>
  t.field({
    type: HistogramRef,
    description:
      'How many events there were over time (by `at`), by level. If neither taskId, from nor to is given, those of the last 24 hours and the next 5 minutes.',
    args: {
      filter: t.arg({ type: EventFilterInput, required: true, description: 'Which events.' }),
      buckets: t.arg.int({
        defaultValue: BUCKETS_DEFAULT,
        description: `About how many intervals: 1 to ${BUCKETS_MAX}. The width is rounded to a readable one.`,
      }),
    },
    complexity: { field: 100, multiplier: 1 },
    resolve: (_root, args, context) => {
      const buckets = args.buckets ?? BUCKETS_DEFAULT;
      if (buckets < 1 || buckets > BUCKETS_MAX) {
        throw badInput(`buckets must be from 1 to ${BUCKETS_MAX}`, 'buckets');
      }
      const filter = lastDayUnlessSaid(readEventFilter(args.filter), context.now);
      return context.store.eventHistogram(filter, buckets);
    },
  }),
);

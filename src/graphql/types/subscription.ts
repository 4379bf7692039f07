/** Subscriptions. The streams come from the tail; each batch is a source event. */
import { badInput } from '../../domain/errors.ts';
import type { TaskView } from '../../domain/fold/views.ts';
import type { EventFilter } from '../../domain/search/filter.ts';
import type { RunsBatch, TailBatch, TailGap, TasksBatch } from '../../tail/tail.ts';
import { builder } from '../builder.ts';
import { EVENTS_MAX } from '../connection.ts';
import { refusePageCursor } from '../cursors.ts';
import { EventRef, MatrixRef, RunRef, TaskRef } from '../refs.ts';
import { eventShape } from './event.ts';
import { readEventFilter, readTaskFilter, readTaskId } from './filter-values.ts';
import { EventFilterInput, TaskFilterInput } from './filters.ts';

/** What a batch is counted as; most hold a few rows, and a limit must hold for a stream. */
const BATCH_TYPICAL = 50;
const CURSOR =
  'To resume exactly after this batch: pass it as `after`. Opaque, at most 256 KiB: some 12 characters for each shard that it reads.';
const CAUGHT_UP =
  'true: everything that was acknowledged when the subscription began has been delivered. false: more of it is waiting in the store.';
const AFTER =
  'The cursor of a batch of an earlier subscription with the same arguments: this one goes on exactly after that batch, on any server. CURSOR_MISMATCH for another filter, CURSOR_EXPIRED if the log was restored or deleted.';

const Gap = builder.objectRef<TailGap>('TailGap').implement({
  description:
    'Events that can no longer be delivered, because retention removed them. Reading slowly never causes a gap.',
  fields: (t) => ({
    reason: t.exposeString('reason', {
      description: 'Why, in a word: `RETENTION`. At most 128 characters.',
    }),
    from: t.exposeString('from', {
      nullable: true,
      description: 'The position after which events are gone. At most 64 characters.',
    }),
    to: t.exposeString('to', {
      nullable: true,
      description:
        'The last position that is gone; the stream goes on after it. At most 64 characters.',
    }),
  }),
});

const TailBatchRef = builder
  .objectRef<{ batch: TailBatch; filter: EventFilter }>('TailBatch')
  .implement({
    description:
      'Events in the order in which they became durable, at most 1,000. A batch without events still brings a newer cursor.',
    fields: (t) => ({
      events: t.field({
        type: [EventRef],
        description: 'The events, at most 1,000. Within a task in the order of the log.',
        complexity: { field: 1, multiplier: BATCH_TYPICAL },
        resolve: ({ batch, filter }) => batch.events.map((event) => eventShape(event, filter)),
      }),
      cursor: t.string({ description: CURSOR, resolve: ({ batch }) => batch.cursor }),
      caughtUp: t.boolean({ description: CAUGHT_UP, resolve: ({ batch }) => batch.caughtUp }),
      gap: t.field({
        type: Gap,
        nullable: true,
        description: 'What is missing before this batch; null if nothing is.',
        resolve: ({ batch }) => batch.gap,
      }),
    }),
  });

const TasksBatchRef = builder.objectRef<TasksBatch>('TasksBatch').implement({
  description: 'Tasks that changed, each as it is now.',
  fields: (t) => ({
    tasks: t.expose('tasks', {
      type: [TaskRef],
      description:
        'The tasks, at most 100. One that no longer matches the filter comes one last time.',
      complexity: { field: 1, multiplier: BATCH_TYPICAL },
    }),
    cursor: t.exposeString('cursor', { description: CURSOR }),
    caughtUp: t.exposeBoolean('caughtUp', { description: CAUGHT_UP }),
  }),
});

const RunsBatchRef = builder.objectRef<RunsBatch>('RunsBatch').implement({
  description: 'What changed on the board of a task.',
  fields: (t) => ({
    snapshot: t.field({
      type: MatrixRef,
      nullable: true,
      description:
        'The whole board, which replaces what was delivered before: in the first batch of a subscription without `after`, when the plan changes, and when the log was restored.',
      resolve: ({ snapshot, cursor }) => (snapshot === null ? null : { matrix: snapshot, cursor }),
    }),
    changed: t.expose('changed', {
      type: [RunRef],
      description: 'The runs that changed, at most 500, each as it is now.',
      complexity: { field: 1, multiplier: BATCH_TYPICAL },
    }),
    cursor: t.exposeString('cursor', { description: CURSOR }),
    caughtUp: t.exposeBoolean('caughtUp', { description: CAUGHT_UP }),
  }),
});

builder.subscriptionFields((t) => ({
  tail: t.field({
    type: TailBatchRef,
    description:
      'Events as they become durable, whichever server took them in. None is missed and none is repeated, live or resumed. Waits while the store is away.',
    args: {
      filter: t.arg({ type: EventFilterInput, required: true, description: 'Which events.' }),
      after: t.arg.string({
        description: `${AFTER} The tailCursor of a page of events is taken too.`,
      }),
      last: t.arg.int({
        description: `Begin with the newest n stored: 0 to ${EVENTS_MAX.toLocaleString('en')}. Default 0. Not together with after.`,
      }),
    },
    subscribe: (_root, args, { tail }): AsyncIterableIterator<TailBatch> => {
      const after = args.after ?? null;
      const last = args.last ?? null;
      if (last !== null && (last < 0 || last > EVENTS_MAX)) {
        throw badInput(`last must be from 0 to ${EVENTS_MAX}`, 'last');
      }
      if (after !== null && last !== null) throw badInput('give after or last, not both', 'last');
      refusePageCursor(after, 'after');
      return tail.events({ filter: readEventFilter(args.filter), after, last });
    },
    resolve: (batch, args) => ({ batch, filter: readEventFilter(args.filter) }),
  }),
  taskChanged: t.field({
    type: TaskRef,
    description:
      'A task as it is now, then again after each change. Waits for a task that has not begun, and while the store is away. On Elasticsearch the first state may lack events of the last moment; the complete one then follows by itself.',
    args: { id: t.arg.id({ required: true, description: "The release system's id, exactly." }) },
    subscribe: (_root, { id }, { tail }): AsyncIterableIterator<TaskView> =>
      tail.taskChanged(readTaskId(id, 'id')),
    resolve: (task) => task,
  }),
  tasksChanged: t.field({
    type: TasksBatchRef,
    description:
      'Tasks that changed and match the filter, now or before the change. If the server did not see how a task was before, it passes over the statuses of the filter, so that a task may come which never had one of them. To show a list and follow it: subscribe without `after`, and query the list at the first batch with caughtUp; then no change is missed.',
    args: {
      filter: t.arg({ type: TaskFilterInput, description: 'Which tasks.' }),
      after: t.arg.string({ description: AFTER }),
    },
    subscribe: (_root, args, { tail }): AsyncIterableIterator<TasksBatch> => {
      const after = args.after ?? null;
      refusePageCursor(after, 'after');
      return tail.tasksChanged({ filter: readTaskFilter(args.filter), after });
    },
    resolve: (batch) => batch,
  }),
  runsChanged: t.field({
    type: RunsBatchRef,
    description:
      'The board of a task: first the whole of it, then what changed. Waits for a task that has not begun, and while the store is away. All boards that are followed share 256 MiB of memory, enough for some 20,000 running hosts or 50,000 that have ended; beyond that, OVERLOADED with `retryAfterMs`.',
    args: {
      taskId: t.arg.id({ required: true, description: "The release system's id, exactly." }),
      after: t.arg.string({ description: `${AFTER} The cursor of Task.matrix is taken too.` }),
    },
    subscribe: (_root, args, { tail }): AsyncIterableIterator<RunsBatch> => {
      const after = args.after ?? null;
      refusePageCursor(after, 'after');
      return tail.runsChanged({ taskId: readTaskId(args.taskId, 'taskId'), after });
    },
    resolve: (batch) => batch,
  }),
}));

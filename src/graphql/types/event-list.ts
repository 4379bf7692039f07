/** Lists of events: across tasks, of a task, of a step. */
import type { GraphQLResolveInfo } from 'graphql';
import type { PageKey } from '../../domain/cursor/page.ts';
import { badInput, ShiplogError } from '../../domain/errors.ts';
import type { StoredEvent } from '../../domain/event/event.ts';
import type { EventFilter } from '../../domain/search/filter.ts';
import type { EventOrder, EventPage, ShardCursor } from '../../store/store.ts';
import { builder } from '../builder.ts';
import {
  type Connection,
  connectionTypes,
  EVENTS_MAX,
  loadPage,
  type PageArgs,
  pageArgs,
  pageCost,
  pageRequest,
  wantsTotal,
} from '../connection.ts';
import type { Context } from '../context.ts';
import { decodeRowCursor, decodeTaskRowCursor, withTask } from '../cursors.ts';
import { EventRef, type EventShape } from '../refs.ts';
import { EventOrderEnum } from './enums.ts';
import { eventShape } from './event.ts';
import { type EventFilterArg, readEventFilter, within } from './filter-values.ts';
import { EventFilterInput } from './filters.ts';

const DAY_MS = 86_400_000;

export interface EventConnectionShape extends Connection<EventShape> {
  tailCursor: string;
}
export const EventConnection = connectionTypes<EventShape, EventConnectionShape>(
  'Event',
  'the events',
  EventRef,
);
EventConnection.implement({
  description: 'A page of events.',
  fields: (t) => ({
    tailCursor: t.exposeString('tailCursor', {
      description:
        'For `tail(after:)` with the same filter, which then goes on without a gap and without repeating: in LOG order exactly after the last row (if no row follows, after everything that is stored), in TIME order after everything that was stored when the page was read. For events of a task or a step, the filter of the tail is {taskId} or {taskId, hosts: [host], steps: [step]}, with whatever else the page was filtered by. Opaque, at most 256 KiB: some 12 characters for each shard that it reads.',
    }),
  }),
});

/** The arguments of every list of events. */
export const eventArgs = builder.args((t) => ({
  ...pageArgs(EVENTS_MAX),
  around: t.string({
    description:
      "An event's cursor: the page then has that event in its middle, among those that match the filter. In LOG order a cursor from a list in TIME order is taken too; that of another task's event is CURSOR_MISMATCH. Not together with after or before.",
  }),
}));

/**
 * An event's cursor ends with its seq, which is its key in LOG order: so an event that was found
 * by a search across tasks (TIME) leads to its place in the log of its task.
 */
function decodeEventCursor(taskId: string | undefined): typeof decodeRowCursor {
  const decode = decodeTaskRowCursor(taskId, decodeInAnyOrder);
  return (engine, list, cursor, field) => {
    const key = decode(engine, list, cursor, field);
    return list === 'events:LOG' ? key.slice(-1) : key.slice(0, -1);
  };
}

/** For the log one of a list by time, too. */
function decodeInAnyOrder(engine: string, list: string, cursor: string, field: string): PageKey {
  try {
    return decodeRowCursor(engine, list, cursor, field);
  } catch (error) {
    const other = error instanceof ShiplogError && error.code === 'CURSOR_MISMATCH';
    if (!other || list !== 'events:LOG') throw error;
    return decodeRowCursor(engine, 'events:TIME', cursor, field);
  }
}

/** A page of events. `given`: the filter that a tail behind the page is asked with. */
async function loadEvents(
  context: Context,
  query: { filter: EventFilter; given: EventFilter; order: EventOrder },
  args: PageArgs,
  info: GraphQLResolveInfo,
): Promise<EventConnectionShape> {
  const { filter, given, order } = query;
  const list = `events:${order}`;
  const request = pageRequest(
    context.store.engine,
    args,
    list,
    EVENTS_MAX,
    wantsTotal(info),
    decodeEventCursor(filter.taskId),
  );
  const page = await loadPage<StoredEvent, EventPage>(request, (page) =>
    context.loaders.events.load({ filter, order, page }),
  );
  context.countAnswered(page.rows.map(({ node }) => node));
  return {
    list,
    page: {
      ...page,
      rows: withTask(page.rows).map(({ key, node }) => ({
        key: key.toSpliced(-1, 0, node.position.seq),
        node: eventShape(node, filter),
      })),
    },
    tailCursor: context.tail.tailCursor(given, tailFrom(page, order)),
  };
}

/**
 * In the order of the log the tail goes on behind the last row, so that what further pages would
 * have brought comes by the tail. By time there is no such place: it goes on behind everything
 * that was stored when the page was read.
 */
function tailFrom({ rows, at, hasNextPage }: EventPage, order: EventOrder): ShardCursor[] {
  const last = rows.at(-1)?.node.position;
  if (order !== 'LOG' || !hasNextPage || last === undefined) return at;
  return at.map((cursor) => (cursor.shard === last.shard ? { ...cursor, seq: last.seq } : cursor));
}

/** The events of a task, or of one of its steps. */
export function loadEventsOf(
  context: Context,
  owner: { taskId: string; host?: string; step?: string },
  args: PageArgs & { filter?: EventFilterArg; order?: EventOrder | null | undefined },
  info: GraphQLResolveInfo,
): Promise<EventConnectionShape> {
  const filter = within(readEventFilter(args.filter), owner);
  return loadEvents(context, { filter, given: filter, order: args.order ?? 'LOG' }, args, info);
}

/** For clocks that are a little ahead; what is dated later is found by `to` or its task. */
const AHEAD_MS = 5 * 60_000;

/** Without a task and a range of time: the last 24 hours, to some minutes from now. */
export function lastDayUnlessSaid(filter: EventFilter, now: number): EventFilter {
  const said = filter.taskId ?? filter.from ?? filter.to;
  return said === undefined ? { ...filter, from: now - DAY_MS, to: now + AHEAD_MS } : filter;
}

builder.queryField('events', (t) =>
  t.field({
    type: EventConnection,
    description:
      'Events across tasks, in ascending order: the newest are `last: n`. If neither taskId, from nor to is given, only those of the last 24 hours and the next 5 minutes (by `at`). A page of very long events may hold fewer than were asked for; pageInfo says that there are more.',
    args: {
      filter: t.arg({ type: EventFilterInput, required: true, description: 'Which events.' }),
      order: t.arg({
        type: EventOrderEnum,
        description:
          'Default: LOG with filter.taskId, TIME without. LOG without filter.taskId is BAD_INPUT.',
      }),
      ...eventArgs,
    },
    complexity: pageCost,
    resolve: (_root, args, context, info) => {
      const given = readEventFilter(args.filter);
      const order = args.order ?? (given.taskId === undefined ? 'TIME' : 'LOG');
      if (order === 'LOG' && given.taskId === undefined) {
        throw badInput(
          'order LOG needs filter.taskId: across tasks there is no such order',
          'order',
        );
      }
      const around = (args.around ?? null) !== null;
      const filter = around ? given : lastDayUnlessSaid(given, context.now);
      return loadEvents(context, { filter, given, order }, args, info);
    },
  }),
);

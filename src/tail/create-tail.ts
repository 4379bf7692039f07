/** Puts the follower, the channels, the boards and the task watch together. */
import { decodeCursor, encodeCursor, hashFilter } from '../domain/cursor/cursor.ts';
import { badInput, ShiplogError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/event/event.ts';
import type { EventFilter } from '../domain/search/filter.ts';
import { every } from '../guarded.ts';
import type { Log } from '../log.ts';
import { PullIterator, type PullSource } from '../pull-iterator.ts';
import type { Store } from '../store/store.ts';
import { BOARDS_BYTES } from './board/board-budget.ts';
import { Boards } from './board/boards.ts';
import { Channel } from './channel.ts';
import { Feed } from './feed.ts';
import { Follower } from './follower.ts';
import type { Heads } from './heads.ts';
import type { Publication } from './publications.ts';
import { inTurns } from './reads.ts';
import type { Tail } from './tail.ts';
import { TasksReader } from './tasks/task-feed.ts';
import { TaskReader } from './tasks/task-reader.ts';
import { TaskWatch } from './tasks/task-watch.ts';

/** What is kept in memory for readers that are a little behind; beyond it they read the store. */
const MEMORY = {
  /** Events in the rings of all shards together. */
  ringEvents: 20_000,
  /** Events in the batches that one channel keeps for its slowest feed. */
  channelEvents: 4_096,
  /** How often channels let go of what is not needed any more. */
  pruneMs: 1_000,
  /** Of all live boards together; beyond it a further board is refused as OVERLOADED. */
  boardBytes: BOARDS_BYTES,
  /** Changed tasks that wait for one reader of a list; beyond it, it reads on from the store. */
  waitingTasks: 5_000,
};
/** Subscriptions of all clients together; one costs some tens of kilobytes. */
const MAX_SUBSCRIPTIONS = 50_000;

export interface TailSettings {
  /** A quiet subscription gets an empty batch with its cursor this often. */
  heartbeatMs: number;
  staleAfterMs: number;
  now: () => number;
  /** Tests make it small. */
  memory?: Partial<typeof MEMORY>;
}

/** Resolves when the log has been followed once, so that every cursor can be taken. */
export async function createTail(store: Store, settings: TailSettings, log: Log): Promise<Tail> {
  const memory = { ...MEMORY, ...settings.memory };
  const { ringEvents, channelEvents, pruneMs, boardBytes, waitingTasks } = memory;
  const follower = new Follower({ store, log, ringEvents, now: settings.now });
  const reads = inTurns(store);
  const { heartbeatMs, staleAfterMs, now } = settings;
  const boards = new Boards({
    ...{ store: reads, follower, log, heartbeatMs, staleAfterMs, now },
    maxBytes: boardBytes,
  });
  const watch = new TaskWatch(store, follower, log);
  const channels = new Map<string, Channel>();
  const channelsOfTask = new Map<string | null, Set<Channel>>();
  const open = new Set<PullIterator<unknown>>();
  const counters = { delivered: 0, catchUps: 0 };
  let closed = false;

  follower.onPublish((publication) => dispatch(publication));
  await follower.start();
  const pruning = every(pruneMs, log, 'pruning the channels', () => {
    for (const channel of channels.values()) channel.prune(follower.oldestTick, follower.tick);
  });

  /** A channel that fails at an event has not all of it: its feeds read from the store. */
  function hand(channel: Channel, publication: Publication, events?: StoredEvent[]): void {
    try {
      channel.receive(publication, events);
    } catch (error) {
      log.error({ err: error }, 'a channel cannot take what was published');
      channel.forget(publication.tick);
    }
  }

  function dispatch(publication: Publication): void {
    if (publication.skipped !== null) {
      for (const channel of channels.values()) hand(channel, publication);
      return;
    }
    for (const channel of channelsOfTask.get(null) ?? []) hand(channel, publication);
    const byTask = new Map<string, StoredEvent[]>();
    for (const event of publication.events) {
      if (!channelsOfTask.has(event.taskId)) continue;
      const mine = byTask.get(event.taskId);
      if (mine === undefined) byTask.set(event.taskId, [event]);
      else mine.push(event);
    }
    for (const [taskId, events] of byTask) {
      for (const channel of channelsOfTask.get(taskId) ?? []) hand(channel, publication, events);
    }
  }

  function acquireChannel(filter: EventFilter, filterHash: string): Channel {
    let channel = channels.get(filterHash);
    if (channel === undefined) {
      channel = new Channel({
        ...{ filter, filterHash, tick: follower.tick, maxEvents: channelEvents },
        cursorOf: tailCursorOf(filterHash),
      });
      channels.set(filterHash, channel);
      const taskId = filter.taskId ?? null;
      channelsOfTask.set(taskId, (channelsOfTask.get(taskId) ?? new Set()).add(channel));
    }
    channel.feeds++;
    return channel;
  }

  function releaseChannel(channel: Channel): void {
    channel.feeds--;
    if (channel.feeds > 0) return;
    channels.delete(channel.filterHash);
    const taskId = channel.filter.taskId ?? null;
    const siblings = channelsOfTask.get(taskId);
    siblings?.delete(channel);
    if (siblings?.size === 0) channelsOfTask.delete(taskId);
  }

  /** Before anything is acquired for a subscription that would not be. */
  function checkRoom(): void {
    if (closed) throw new ShiplogError('SHUTTING_DOWN', 'the server is stopping');
    if (open.size >= MAX_SUBSCRIPTIONS) {
      throw new ShiplogError('OVERLOADED', 'too many subscriptions are open', {
        retryAfterMs: 10_000,
      });
    }
  }

  /** An iterator that is ended with the server, and counted. */
  function iterate<T>(source: PullSource<T>): PullIterator<T> {
    const iterator = new PullIterator<T>({
      pull: () => source.pull(),
      dispose: () => {
        open.delete(iterator);
        source.dispose();
      },
    });
    open.add(iterator);
    return iterator;
  }

  return {
    events({ filter, after, last }) {
      checkRoom();
      if (after !== null && last !== null) throw badInput('give after or last, not both', 'last');
      const filterHash = hashFilter(filter);
      const shards = after === null ? null : decodeCursor(after, { kind: 'tail', filterHash });
      const channel = acquireChannel(filter, filterHash);
      return iterate(
        new Feed({
          store: reads,
          follower,
          channel,
          now: settings.now,
          heartbeatMs: settings.heartbeatMs,
          after: shards,
          last,
          cursorOf: tailCursorOf(filterHash),
          onDispose: () => releaseChannel(channel),
          counters,
        }),
      );
    },
    taskChanged(id) {
      checkRoom();
      return iterate(
        new TaskReader({
          ...{ id, follower, watch, store: reads },
          ...{ heartbeatMs: settings.heartbeatMs, staleAfterMs: settings.staleAfterMs },
          now: settings.now,
        }),
      );
    },
    tasksChanged({ filter, after }) {
      checkRoom();
      const filterHash = hashFilter(filter);
      const shards = after === null ? null : decodeCursor(after, { kind: 'tasks', filterHash });
      return iterate(
        new TasksReader({
          ...{ filter, after: shards, follower, watch, store: reads, maxWaiting: waitingTasks },
          cursorOf: cursorOf('tasks', filterHash),
          heartbeatMs: settings.heartbeatMs,
        }),
      );
    },
    runsChanged({ taskId, after }) {
      checkRoom();
      const filterHash = hashFilter({ taskId });
      const from =
        after === null
          ? null
          : { shards: decodeCursor(after, { kind: 'runs', filterHash }), cursor: after };
      return iterate(boards.reader(taskId, from, cursorOf('runs', filterHash)));
    },
    tailCursor: (filter, at) =>
      encodeCursor({ kind: 'tail', filterHash: hashFilter(filter), shards: at }),
    matrixCursor: (taskId, at) =>
      encodeCursor({ kind: 'runs', filterHash: hashFilter({ taskId }), shards: at }),
    publish: (events) => follower.offer(events),
    ready: () => follower.started,
    metrics: () => ({
      ...follower.metrics(),
      tail_subscriptions: open.size,
      tail_channels: channels.size,
      tail_boards: boards.size,
      tail_board_bytes: boards.bytes,
      tail_events_delivered_total: counters.delivered,
      tail_catch_up_reads_total: counters.catchUps,
    }),
    async close() {
      closed = true;
      clearInterval(pruning);
      follower.close();
      await Promise.all([...open].map((iterator) => iterator.return()));
    },
  };
}

function cursorOf(kind: 'tail' | 'tasks' | 'runs', filterHash: string) {
  return (heads: Heads) => encodeCursor({ kind, filterHash, shards: [...heads.values()] });
}

function tailCursorOf(filterHash: string) {
  return cursorOf('tail', filterHash);
}

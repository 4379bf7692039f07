/** Where a feed begins: now, with the newest stored events, or behind what a cursor has seen. */
import { dayOfShard, dayOfTime } from '../domain/cursor/cursor.ts';
import { ShiplogError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/event/event.ts';
import type { ShardCursor } from '../store/store.ts';
import type { Channel } from './channel.ts';
import type { Follower } from './follower.ts';
import { type Heads, headsOf, withHead, within } from './heads.ts';
import { taskAway } from './patience.ts';
import type { Reads } from './reads.ts';
import { gapOf, Removals } from './removals.ts';
import type { TailGap } from './tail.ts';

export interface FeedStart {
  position: Heads;
  /** Where the log was when it resumed: before that is told it has not caught up. */
  goal: Heads;
  /** Shards of the cursor that are away: they stay in it. */
  away: Heads;
  /** The newest day of the cursor; null: it begins now. */
  since: number | null;
  /** What retention takes from now on. */
  removals: Removals;
  /** Events that it took before they were seen. */
  gap: TailGap | null;
  /** The newest stored events, where they were asked for. */
  newest: StoredEvent[] | null;
}

export interface FeedSources {
  store: Reads;
  follower: Follower;
  channel: Channel;
  now: () => number;
}

const NONE: Heads = new Map();

/** From here on, with the newest `last` stored events. */
export async function startNow(
  { store, follower, channel }: FeedSources,
  last: number | null,
): Promise<FeedStart> {
  const { taskId } = channel.filter;
  const settled = await follower.catchUp(taskId ?? null);
  if (taskId !== undefined && settled.length === 0) throw taskAway();
  if (taskId !== undefined) channel.widen(settled);
  const removals = new Removals(store, channel.filter, settled);
  const start = { goal: NONE, away: NONE, since: null, removals, gap: null };
  let position = within(follower.heads, channel.scope);
  if (last === null || last === 0) return { ...start, position, newest: null };
  const order = taskId === undefined ? 'TIME' : 'LOG';
  const page = { limit: last, backward: true, after: null, before: null, around: null };
  const [newest] = await store.events([
    { filter: channel.filter, order, page: { ...page, withTotal: false } },
  ]);
  if (newest === undefined) return { ...start, position, newest: null };
  for (const cursor of newest.at) position = withHead(position, cursor);
  return { ...start, position, newest: newest.rows.map(({ node }) => node) };
}

/** Behind a cursor: throws CURSOR_EXPIRED, or tells of a gap where retention has been. */
export async function startBehind(
  { store, follower, channel, now }: FeedSources,
  after: readonly ShardCursor[],
): Promise<FeedStart> {
  const { taskId } = channel.filter;
  const checks = await store.checkCursors([...after]);
  const heads = await follower.catchUp(taskId ?? null);
  // Without it nothing says where the task's events are, and none would be looked for.
  if (taskId !== undefined && heads.length === 0) throw taskAway();
  const [task] = taskId === undefined ? [null] : await store.tasksById([taskId]);
  const since = newestDay(after, dayOfTime(now()));
  let position = taskId === undefined ? olderThan(since, after, heads) : NONE;
  let gap: TailGap | null = null;
  for (const [i, cursor] of after.entries()) {
    const check = checks[i];
    if (check?.state === 'unknown') throw expired();
    if (check?.state === 'dropped') {
      if (cursor.seq < check.finalSeq) gap = gapOf(cursor, check.finalSeq);
      continue;
    }
    const head = heads.find(({ shard }) => shard === cursor.shard);
    // What was dropped was of other tasks where this one is still there.
    if (head !== undefined && cursor.seq < head.droppedThrough && !task) {
      gap = gapOf(cursor, head.droppedThrough);
    }
    const history = head?.history ?? cursor.history;
    position = withHead(position, { ...cursor, history });
  }
  if (taskId !== undefined) channel.widen([...heads, ...after]);
  const away = headsOf([...position.values()].filter(({ shard }) => !follower.heads.has(shard)));
  const removals = new Removals(store, channel.filter, heads);
  return { position, goal: headsOf(heads), away, since, removals, gap, newest: null };
}

/**
 * Shards of older days that a cursor does not name, at their heads: they were away when it was
 * given, and what is in them is old. A shard that is new since then is read from its beginning.
 */
function olderThan(
  since: number,
  cursors: readonly ShardCursor[],
  heads: readonly ShardCursor[],
): Heads {
  const named = new Set(cursors.map(({ shard }) => shard));
  return headsOf(heads.filter(({ shard }) => !named.has(shard) && !isNewBehind(since, shard)));
}

/**
 * -1: it names no day. One that is still to come was begun by a clock that was ahead: the days until
 * then are new to its reader all the same.
 */
function newestDay(cursors: readonly ShardCursor[], today: number): number {
  const days = cursors.map(({ shard }) => dayOfShard(shard) ?? -1);
  return Math.max(-1, ...days.filter((day) => day <= today));
}

/**
 * Whether all of a shard that a cursor does not name is new to its reader, wherever the follower
 * began it: it is of the newest day that the cursor names, or later.
 */
export function isNewBehind(since: number | null, shard: string): boolean {
  return since !== null && (dayOfShard(shard) ?? since) >= since;
}

export function expired(): ShiplogError {
  return new ShiplogError(
    'CURSOR_EXPIRED',
    'the log that this cursor points into is no longer there; begin again without a cursor',
    { field: 'after' },
  );
}

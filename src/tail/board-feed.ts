/**
 * Boards that someone looks at, and the readers of them.
 *
 * A board is loaded once however many look, kept up to date from the follower, and let go with its
 * last reader.
 */
import { ShiplogError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/event.ts';
import type { RunView } from '../domain/views.ts';
import type { ShardCursor } from '../store/store.ts';
import { Board } from './board.ts';
import { expired } from './feed.ts';
import type { Follower, Publication } from './follower.ts';
import { type Heads, seqOf, within } from './heads.ts';
import type { PullSource } from './pull.ts';
import type { Reads } from './reads.ts';
import type { RunsBatch } from './tail.ts';
import { Waiters } from './waiters.ts';

/** Changes of a board are shown together this often. */
const SETTLE_MS = 50;
/** Ten looks in the time after which a run counts as silent, within these. */
const STALE_CHECK_MS = { least: 250, most: 5_000 };
const BATCH_RUNS = 500;
/** Runs on all live boards together; beyond it a further board is refused as OVERLOADED. */
const MAX_RUNS = 500_000;
const READ_LIMIT = 1_000;

interface LiveBoard {
  board: Board;
  readers: number;
  loaded: Promise<void>;
  /** Came while the board was loading. */
  early: { events: StoredEvent[]; heads: Heads }[] | null;
  changed: Waiters;
  /** The version that readers were woken for. */
  woken: number;
  settling: NodeJS.Timeout | null;
  staleCheck: NodeJS.Timeout;
  stop: () => void;
}

export interface BoardSettings {
  heartbeatMs: number;
  staleAfterMs: number;
  now: () => number;
}

export class Boards {
  #store: Reads;
  #follower: Follower;
  #settings: BoardSettings;
  #live = new Map<string, LiveBoard>();

  constructor(store: Reads, follower: Follower, settings: BoardSettings) {
    this.#store = store;
    this.#follower = follower;
    this.#settings = settings;
  }

  get size(): number {
    return this.#live.size;
  }

  reader(
    taskId: string,
    after: ShardCursor[] | null,
    cursorOf: (heads: Heads) => string,
    onDispose: () => void,
  ): PullSource<RunsBatch> {
    const live = this.#acquire(taskId);
    return new BoardReader(live, this.#store, after, cursorOf, this.#settings, () => {
      this.#release(taskId, live);
      onDispose();
    });
  }

  #acquire(taskId: string): LiveBoard {
    const known = this.#live.get(taskId);
    if (known !== undefined) {
      known.readers++;
      return known;
    }
    const total = [...this.#live.values()].reduce((sum, { board }) => sum + board.runs, 0);
    if (total > MAX_RUNS) {
      throw new ShiplogError('OVERLOADED', 'too many large boards are followed at a time', {
        retryAfterMs: 10_000,
      });
    }
    const board = new Board(taskId, this.#settings.now, this.#settings.staleAfterMs);
    const unfollow = this.#follower.follow();
    const unlisten = this.#follower.onPublish((publication) => this.#receive(live, publication));
    const changed = new Waiters();
    const live: LiveBoard = {
      board,
      readers: 1,
      loaded: Promise.resolve(),
      early: [],
      changed,
      woken: 0,
      settling: null,
      staleCheck: setInterval(() => {
        board.tick();
        wakeReaders(live);
      }, this.#staleCheckMs()).unref(),
      stop: () => {
        unlisten();
        unfollow();
      },
    };
    live.loaded = this.#load(live);
    live.loaded.catch(() => this.#drop(taskId, live));
    this.#live.set(taskId, live);
    return live;
  }

  #staleCheckMs(): number {
    const { least, most } = STALE_CHECK_MS;
    return Math.min(most, Math.max(least, this.#settings.staleAfterMs / 10));
  }

  async #load(live: LiveBoard): Promise<void> {
    const { board } = live;
    const settled = await this.#follower.catchUp(board.taskId);
    const from = within(this.#follower.heads, new Set(settled.map(({ shard }) => shard)));
    const snapshot = await this.#store.board(board.taskId);
    board.load(snapshot?.task ?? null, snapshot?.runs ?? [], snapshot?.at ?? [...from.values()]);
    // Views may be behind the log: fold what lies between from the log itself.
    for (const head of from.values()) {
      let seq = seqOf(board.heads, head.shard);
      while (seq < head.seq) {
        const at = { shard: head.shard, history: head.history, seq };
        const slice = await this.#store.readLog(at, head.seq, { taskId: board.taskId }, READ_LIMIT);
        if (slice.through <= seq) break;
        seq = slice.through;
        board.fold(slice.events, new Map([[head.shard, { ...at, seq }]]));
      }
    }
    for (const { events, heads } of live.early ?? []) board.fold(events, heads);
    live.early = null;
    board.settle();
    live.woken = board.version;
  }

  #receive(live: LiveBoard, { events, heads }: Publication): void {
    const mine = events.filter(({ taskId }) => taskId === live.board.taskId);
    if (mine.length === 0) return;
    const shard = (mine[0] as StoredEvent).position.shard;
    const at = within(heads, new Set([shard]));
    if (live.early !== null) {
      live.early.push({ events: mine, heads: at });
      return;
    }
    live.board.fold(mine, at);
    live.settling ??= setTimeout(() => {
      live.settling = null;
      live.board.settle();
      wakeReaders(live);
    }, SETTLE_MS);
  }

  #release(taskId: string, live: LiveBoard): void {
    live.readers--;
    if (live.readers === 0) this.#drop(taskId, live);
  }

  #drop(taskId: string, live: LiveBoard): void {
    if (this.#live.get(taskId) === live) this.#live.delete(taskId);
    clearInterval(live.staleCheck);
    if (live.settling !== null) clearTimeout(live.settling);
    live.stop();
  }
}

/** One reader may have settled the board already: the others hear of it all the same. */
function wakeReaders(live: LiveBoard): void {
  if (live.board.version === live.woken) return;
  live.woken = live.board.version;
  live.changed.wake();
}

class BoardReader implements PullSource<RunsBatch> {
  #live: LiveBoard;
  #store: Reads;
  #after: ShardCursor[] | null;
  #cursorOf: (heads: Heads) => string;
  #settings: BoardSettings;
  #onDispose: () => void;
  #version: number | null = null;
  /** Of a resumed reader: still to be told, before the live changes. */
  #missed: RunView[] = [];
  /** Everything at or below was told. */
  #toldHeads: Heads = new Map();
  #disposed = false;

  constructor(
    live: LiveBoard,
    store: Reads,
    after: ShardCursor[] | null,
    cursorOf: (heads: Heads) => string,
    settings: BoardSettings,
    onDispose: () => void,
  ) {
    this.#live = live;
    this.#store = store;
    this.#after = after;
    this.#cursorOf = cursorOf;
    this.#settings = settings;
    this.#onDispose = onDispose;
  }

  async pull(): Promise<RunsBatch | null> {
    if (this.#version === null) return this.#begin();
    if (this.#missed.length > 0) return this.#tellMissed();
    const { board, changed } = this.#live;
    if (board.version <= this.#version) await changed.wait(this.#settings.heartbeatMs);
    if (this.#disposed) return null;
    // What is folded must be derived too, for the cursor speaks of what is folded.
    board.settle();
    // With other columns what changed does not fit into what the reader has: all of it again.
    if (board.replannedSince(this.#version)) return this.#tellWhole();
    const { runs, version, more } = board.changedSince(this.#version, BATCH_RUNS);
    this.#version = version;
    // The cursor moves only when everything up to the heads was told.
    const heads = more ? this.#toldHeads : board.heads;
    if (!more) this.#toldHeads = heads;
    return { snapshot: null, changed: runs, cursor: this.#cursorOf(heads), caughtUp: !more };
  }

  dispose(): void {
    this.#disposed = true;
    this.#live.changed.wake();
    this.#onDispose();
  }

  async #begin(): Promise<RunsBatch> {
    const { board } = this.#live;
    if (this.#after !== null) {
      const checks = await this.#store.checkCursors(this.#after);
      if (checks.some(({ state }) => state !== 'live')) throw expired();
    }
    await this.#live.loaded;
    board.settle();
    if (this.#after === null) return this.#tellWhole();
    this.#version = board.version;
    this.#toldHeads = board.heads;
    this.#missed = board.changedBehind(this.#after);
    return this.#tellMissed();
  }

  #tellWhole(): RunsBatch {
    const { board } = this.#live;
    this.#version = board.version;
    this.#toldHeads = board.heads;
    const cursor = this.#cursorOf(board.heads);
    return { snapshot: board.matrix(), changed: [], cursor, caughtUp: true };
  }

  /** Until the last of them the cursor stays where the reader came from. */
  #tellMissed(): RunsBatch {
    const changed = this.#missed.splice(0, BATCH_RUNS);
    const whole = this.#missed.length === 0;
    const before: Heads = new Map((this.#after ?? []).map((cursor) => [cursor.shard, cursor]));
    const cursor = this.#cursorOf(whole ? this.#toldHeads : before);
    return { snapshot: null, changed, cursor, caughtUp: whole };
  }
}

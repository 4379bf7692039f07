/**
 * One board that somebody looks at: loaded from the store, kept up to date from the follower.
 *
 * It is `live` while it has everything that the follower has published, and folds each publication
 * as it comes. Where one is not whole, or the store's log or views could not be read to the end, it
 * is behind: it reads on from its own position, out of the rings or the log, as often as it takes,
 * and never moves past what it has not seen. Where a shard's history is another (a restore), or was
 * skipped, the board is loaded anew.
 */
import { setImmediate as rest } from 'node:timers/promises';
import { every, guarded } from '../../guarded.ts';
import type { Log } from '../../log.ts';
import { Signal } from '../../signal.ts';
import type { Follower } from '../follower.ts';
import { type Heads, within } from '../heads.ts';
import { isPassing, Patience, taskAway } from '../patience.ts';
import type { Publication } from '../publications.ts';
import type { Reads } from '../reads.ts';
import type { Board } from './board.ts';
import { BoardBatches } from './board-batches.ts';
import { type BoardBudget, BoardShare } from './board-budget.ts';
import { loadBoard } from './board-load.ts';
import { readOn } from './board-read.ts';

/** Changes of a board are shown together this often. */
const SETTLE_MS = 50;
/** Rows are derived for so long, then others have their turn. */
const SLICE_MS = 10;
/** Ten looks in the time after which a run counts as silent, within these. */
const SILENCE_CHECK_MS = { least: 250, most: 5_000 };
/** Before the store is asked again for a range that it could not prove whole. */
const RETRY_MS = 50;

export interface LiveBoardOptions {
  taskId: string;
  store: Reads;
  follower: Follower;
  budget: BoardBudget;
  log: Log;
  staleAfterMs: number;
  now: () => number;
  cursorOf: (heads: Heads) => string;
  /** Called where the board has ended with a failure. */
  onFailed: () => void;
}

export class LiveBoard {
  readonly #options: LiveBoardOptions;
  readonly #listeners = new Set<() => void>();
  readonly #wakeUp = new Signal();
  readonly #stopFollowing: () => void;
  readonly #silenceCheck: NodeJS.Timeout;
  readonly #settleGuarded: () => void;
  #board: Board | null = null;
  #batches: BoardBatches | null = null;
  readonly #share: BoardShare;
  /** Shards that the task's events are in, or can begin in. */
  #scope: ReadonlySet<string> = new Set();
  /** Shards in which events of the task were published since the load began. */
  #seenIn = new Set<string>();
  #live = false;
  #keepingUp = false;
  /** The board must be loaded anew. */
  #outdated = true;
  #stopped = false;
  #failure: { error: unknown } | null = null;
  #settling: NodeJS.Timeout | NodeJS.Immediate | null = null;
  /** The version that readers were woken for. */
  #told = 0;

  constructor(options: LiveBoardOptions) {
    const { follower, log, staleAfterMs, budget } = options;
    this.#options = options;
    this.#share = new BoardShare(budget);
    this.#settleGuarded = guarded(log, 'deriving a live board', () => this.#settle());
    const unfollow = follower.follow();
    const unlisten = follower.onPublish((publication) => this.#receive(publication));
    this.#stopFollowing = () => {
      unlisten();
      unfollow();
    };
    const { least, most } = SILENCE_CHECK_MS;
    const pause = Math.min(most, Math.max(least, staleAfterMs / 10));
    this.#silenceCheck = every(pause, log, 'looking for silent runs', () => this.#checkSilence());
    void this.#keepUp();
  }

  /** What to tell; null: not loaded yet. Throws where the board has failed. */
  get batches(): BoardBatches | null {
    if (this.#failure !== null) throw this.#failure.error;
    return this.#batches;
  }

  /** It has everything that was published. */
  get live(): boolean {
    return this.#live;
  }

  /** Calls whenever there is something else to tell. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    this.#stopped = true;
    this.#live = false;
    clearInterval(this.#silenceCheck);
    this.#cancelSettling();
    this.#stopFollowing();
    this.#drop();
    this.#wakeUp.wake();
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.stop();
    this.#options.onFailed();
    this.#wake();
  }

  #drop(): void {
    this.#board = null;
    this.#batches = null;
    this.#share.hold(0);
  }

  /** Throws OVERLOADED where all boards would hold too much. */
  #hold(bytes: number): void {
    if (!this.#stopped) this.#share.hold(bytes);
  }

  // ── from the store ─────────────────────────────────────────────────────────────────────────

  /** Until it is live. Never rejects. */
  async #keepUp(): Promise<void> {
    if (this.#keepingUp) return;
    this.#keepingUp = true;
    const patience = new Patience();
    while (!this.#stopped && !this.#live) {
      try {
        const board = this.#outdated || this.#board === null ? await this.#load() : this.#board;
        if (board !== null) await this.#catchUp(board);
        patience.relax();
      } catch (error) {
        if (!this.#stopped) await this.#wait(error, patience);
      }
    }
    this.#keepingUp = false;
  }

  /** A store that is away for a while is waited for; anything else ends the board. */
  async #wait(error: unknown, patience: Patience): Promise<void> {
    const { log, taskId } = this.#options;
    if (!isPassing(error)) {
      this.#fail(error);
      return;
    }
    // Once for an outage, not at every try of it.
    if (!patience.failing) log.info({ err: error, taskId }, 'a live board waits for the store');
    await this.#wakeUp.wait(patience.after(error));
  }

  /** null: it was stopped, or has to begin anew. */
  async #load(): Promise<Board | null> {
    const { budget, follower, store, taskId, staleAfterMs, now, log } = this.#options;
    this.#drop();
    this.#cancelSettling();
    this.#outdated = false;
    this.#seenIn = new Set();
    const scope = await this.#findScope();
    const heads = within(follower.heads, scope);
    const settings = { taskId, staleAfterMs, now, log };
    const board = await budget.inTurn(async () =>
      this.#stopped ? null : loadBoard(store, settings, heads, (bytes) => this.#reserve(bytes)),
    );
    if (board === null || this.#stopped || this.#outdated) return null;
    // A task that had not begun can begin in a shard that was not there.
    if ([...this.#seenIn].some((shard) => !scope.has(shard))) {
      this.#outdated = true;
      return null;
    }
    this.#board = board;
    return board;
  }

  /** The shards that the task's events are in, followed as far as they are settled. */
  async #findScope(): Promise<ReadonlySet<string>> {
    const { follower, taskId } = this.#options;
    const settled = await follower.catchUp(taskId);
    if (settled.length === 0) throw taskAway();
    this.#scope = new Set(settled.map(({ shard }) => shard));
    return this.#scope;
  }

  #reserve(bytes: number): void {
    try {
      this.#hold(bytes);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Reads on to what was published, until it has all of it; or until it must be loaded anew. */
  async #catchUp(board: Board): Promise<void> {
    const isOver = () => this.#stopped || this.#outdated;
    for (;;) {
      const came = await readOn(board, this.#scope, { ...this.#options, isOver });
      if (came === 'other') this.#outdated = true;
      if (came === 'elsewhere') await this.#findScope();
      if (came !== 'whole' && came !== 'moved') await this.#wakeUp.wait(RETRY_MS);
      if (isOver()) return;
      if (board.bytes > this.#share.bytes) this.#reserve(board.bytes);
      if (came === 'whole') {
        // Nothing may come between the last look and this.
        if (board.settle(SLICE_MS)) return this.#goLive(board);
        await rest();
      }
    }
  }

  #goLive(board: Board): void {
    const { cursorOf } = this.#options;
    this.#reserve(board.bytes);
    this.#batches ??= new BoardBatches(board, cursorOf);
    this.#told = board.settled.version;
    this.#live = true;
    this.#wake();
  }

  // ── from the follower ──────────────────────────────────────────────────────────────────────

  #receive({ events, heads, skipped }: Publication): void {
    const { taskId } = this.#options;
    const shard = skipped ?? events[0]?.position.shard;
    if (shard === undefined) return;
    const mine = events.filter((event) => event.taskId === taskId);
    if (mine.length > 0) this.#seenIn.add(shard);
    const board = this.#board;
    const inScope = this.#scope.has(shard);
    if (skipped !== null) {
      if (inScope) this.#fallBehind(true);
      return;
    }
    if (board === null) return;
    if (!inScope) {
      if (mine.length > 0) this.#fallBehind(true);
      return;
    }
    const head = heads.get(shard);
    if (!this.#live || head === undefined) return;
    const known = board.heads.get(shard);
    const isOther = known !== undefined && known.history !== head.history;
    const news = head.seq - (known?.seq ?? 0);
    // Sequences are dense: where there are fewer events than that, some were not published.
    if (isOther || events.length < news) {
      this.#fallBehind(isOther);
      return;
    }
    if (news <= 0) return;
    board.fold(mine, head);
    if (!board.clean) this.#settling ??= setTimeout(this.#settleGuarded, SETTLE_MS);
  }

  #fallBehind(outdated: boolean): void {
    if (outdated) this.#outdated = true;
    if (!this.#live) return;
    this.#live = false;
    if (outdated) this.#batches = null;
    void this.#keepUp();
  }

  // ── what is shown ──────────────────────────────────────────────────────────────────────────

  #settle(): void {
    this.#settling = null;
    const board = this.#board;
    if (board === null || !this.#live) return;
    if (!board.settle(SLICE_MS)) {
      this.#settling = setImmediate(this.#settleGuarded);
      return;
    }
    try {
      this.#hold(board.bytes);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (board.settled.version === this.#told) return;
    this.#told = board.settled.version;
    this.#wake();
  }

  #checkSilence(): void {
    const board = this.#board;
    if (board === null || !this.#live) return;
    const { follower } = this.#options;
    const isBehind = [...within(follower.heads, this.#scope).values()].some(
      ({ shard, seq }) => seq > (board.heads.get(shard)?.seq ?? 0),
    );
    // A shard that was away can be followed again without a publication that says so.
    if (isBehind) {
      this.#fallBehind(false);
      return;
    }
    board.tick();
    if (this.#settling === null) this.#settle();
  }

  #cancelSettling(): void {
    clearTimeout(this.#settling as NodeJS.Timeout);
    clearImmediate(this.#settling as NodeJS.Immediate);
    this.#settling = null;
  }
}

/**
 * What readers of one board are told, made once for all who stand at the same place: snapshot,
 * changes, heartbeats. A batch is one object for all of them, so its execution and its JSON are
 * shared as well.
 */

import type { ShardCursor } from '../../store/store.ts';
import { type Heads, headsOf } from '../heads.ts';
import type { RunsBatch } from '../tail.ts';
import type { Board, Settled } from './board.ts';

const BATCH_RUNS = 500;
/**
 * Readers that resume with the same cursor share what they are told: how many such cursors are
 * remembered.
 */
const RESUMED_MAX = 64;

/**
 * A step is for all who come within this time. Later ones get their own: with a batch its execution
 * is shared, and what that read of the store would get old.
 */
const STEP_MS = 1_000;

/** Where a reader stands: it was told everything of this version. Compared by identity. */
export interface Place {
  batches: BoardBatches;
  version: number;
  cursor: string;
  /** For a reader that resumes: hosts to be told, how many of them were, and its place after that. */
  missed: { hosts: readonly string[]; told: number; then: Place } | null;
}

/** A batch, and where its reader stands behind it. */
export interface Step {
  batch: RunsBatch;
  to: Place;
}

/** A version whose readers need the whole board. */
const BEFORE_ALL = -1;

export class BoardBatches {
  readonly #board: Board;
  readonly #cursorOf: (heads: Heads) => string;
  /** What was made of the board's settled version; made anew with each version. */
  #settled: Settled | null = null;
  #place: Place | null = null;
  #whole: Step | null = null;
  #steps = new WeakMap<Place, { step: Step; until: number }>();
  #resumed = new Map<string, Place>();
  #beat: { heads: Heads; batch: RunsBatch } | null = null;

  constructor(board: Board, cursorOf: (heads: Heads) => string) {
    this.#board = board;
    this.#cursorOf = cursorOf;
  }

  /** The whole board, as it is now. */
  whole(): Step {
    const to = this.#now();
    this.#whole ??= {
      batch: { snapshot: this.#board.matrix(), changed: [], cursor: to.cursor, caughtUp: true },
      to,
    };
    return this.#whole;
  }

  /** Where a reader stands who comes with a cursor. */
  resume(after: readonly ShardCursor[]): Place {
    const then = this.#now();
    const heads = headsOf(after);
    const cursor = this.#cursorOf(heads);
    let place = this.#resumed.get(cursor);
    if (place === undefined) {
      const isOther = this.#board.replannedBehind(heads);
      const hosts = isOther ? [] : this.#board.hostsBehind(heads);
      const version = isOther ? BEFORE_ALL : then.version;
      place = { batches: this, version, cursor, missed: { hosts, told: 0, then } };
      if (this.#resumed.size >= RESUMED_MAX) this.#resumed.clear();
      this.#resumed.set(cursor, place);
    }
    return place;
  }

  /** Whether the board has come as far as a cursor that another server may have given. */
  reaches(after: readonly ShardCursor[]): boolean {
    return after.every(({ shard, seq }) => {
      const known = this.#board.heads.get(shard);
      return known === undefined || known.seq >= seq;
    });
  }

  /** What comes next behind a place; null: nothing yet. */
  step(from: Place): Step | null {
    const now = this.#now();
    if (from.missed === null && from.version >= now.version) return null;
    const at = performance.now();
    const known = this.#steps.get(from);
    if (known !== undefined && at < known.until) return known.step;
    const step = this.#next(from, now);
    this.#steps.set(from, { step, until: at + STEP_MS });
    return step;
  }

  /** Nothing is to be told but how far the board is; null: there is. */
  beat(place: Place): RunsBatch | null {
    if (place !== this.#now()) return null;
    const { derived } = this.#board;
    if (this.#beat?.heads !== derived) {
      const cursor = this.#cursorOf(derived);
      this.#beat = {
        heads: derived,
        batch: { snapshot: null, changed: [], cursor, caughtUp: true },
      };
    }
    return this.#beat.batch;
  }

  #now(): Place {
    const { settled } = this.#board;
    if (this.#place === null || settled !== this.#settled) {
      const cursor = this.#cursorOf(settled.heads);
      this.#place = { batches: this, version: settled.version, cursor, missed: null };
      this.#settled = settled;
      this.#whole = null;
      this.#steps = new WeakMap();
      this.#resumed = new Map();
    }
    return this.#place;
  }

  #next(from: Place, now: Place): Step {
    // If the columns changed, changes do not fit into what the reader has: it gets the whole board again.
    if (this.#board.replannedSince(from.version)) return this.whole();
    if (from.missed !== null) return this.#nextMissed(from, from.missed);
    const { runs, version, more } = this.#board.changedSince(from.version, BATCH_RUNS);
    // The cursor goes on only when everything up to it was told.
    const to = more ? { ...from, version } : now;
    return { batch: { snapshot: null, changed: runs, cursor: to.cursor, caughtUp: !more }, to };
  }

  /** Until the last of them the cursor stays where the reader came from. */
  #nextMissed(from: Place, { hosts, told, then }: NonNullable<Place['missed']>): Step {
    const through = told + BATCH_RUNS;
    const caughtUp = through >= hosts.length;
    const to = caughtUp ? then : { ...from, missed: { hosts, told: through, then } };
    const changed = this.#board.runsOf(hosts.slice(told, through));
    return { batch: { snapshot: null, changed, cursor: to.cursor, caughtUp }, to };
  }
}

/**
 * Refreshes on demand: callers that ask while one runs share the next. The pause between two grows
 * with what they cost, so that readers cannot keep a cluster busy with making segments.
 */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { Connection } from './connection.ts';
import { unavailable } from './unavailable.ts';

const LONGEST_PAUSE_MS = 500;
/** The pause after a refresh, as a multiple of how long it took: at most half of the time is spent refreshing. */
const PAUSE_FACTOR = 1;

/** Counts copies of shards: one that failed is still searched, and does not show what is new. */
const ANSWER = z.object({
  _shards: z.object({ total: z.int(), successful: z.int(), failed: z.int() }),
});

interface Turn {
  next: Promise<void> | null;
  running: Promise<void>;
  startAgainAt: number;
}

export class Refresher {
  readonly #connection: Connection;
  readonly #turns = new Map<string, Turn>();
  count = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Resolves when a refresh of the index that began after this call has ended. Throws
   * STORE_UNAVAILABLE where a copy of a shard was not refreshed.
   */
  refresh(index: string): Promise<void> {
    let turn = this.#turns.get(index);
    if (turn === undefined) {
      turn = { next: null, running: Promise.resolve(), startAgainAt: 0 };
      this.#turns.set(index, turn);
    }
    const mine = turn;
    mine.next ??= mine.running
      .catch(() => undefined)
      .then(async () => {
        const pause = mine.startAgainAt - performance.now();
        if (pause > 0) await setTimeout(pause);
        mine.running = mine.next as Promise<void>;
        mine.next = null;
        await this.#run(index, mine);
      });
    return mine.next;
  }

  async #run(index: string, turn: Turn): Promise<void> {
    const began = performance.now();
    this.count++;
    try {
      const { _shards } = await this.#connection.expect(
        {
          method: 'POST',
          path: `/${index}/_refresh`,
          query: { ignore_unavailable: true, allow_no_indices: true },
          safe: true,
        },
        ANSWER,
      );
      const { total, successful, failed } = _shards;
      // Copies that are nowhere now are in neither.
      if (failed > 0 || (successful === 0 && total > 0)) {
        throw unavailable(
          `${failed || total} of ${total} copies of ${index} could not be refreshed`,
        );
      }
    } finally {
      const took = performance.now() - began;
      turn.startAgainAt = performance.now() + Math.min(took * PAUSE_FACTOR, LONGEST_PAUSE_MS);
    }
  }
}

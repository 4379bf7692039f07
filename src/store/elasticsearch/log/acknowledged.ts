/**
 * The last position of each task that this process acknowledged: what whoever was told of it may
 * count on to see. Of tasks that nothing was acknowledged of for long, their shard's is kept.
 */
import type { Position } from '../../../domain/event/event.ts';
import { parseShard } from '../indices/names.ts';

interface Last extends Position {
  /** The shard's history, if it was known: after a restore nothing of it may be seen. */
  history: number | null;
}

/** Ids of tasks may have a kilobyte each. */
const TASKS_MAX = 20_000;

export class Acknowledged {
  readonly #tasks = new Map<string, Last>();
  readonly #forgotten = new Map<string, Last>();
  readonly #historyOf: (shard: string) => number | null;

  /** @param historyOf the history in force of a shard, as far as it is known */
  constructor(historyOf: (shard: string) => number | null) {
    this.#historyOf = historyOf;
  }

  note(taskId: string, { shard, seq }: Position): void {
    const before = this.#tasks.get(taskId);
    const history = this.#historyOf(shard);
    if (before !== undefined && before.history === history && before.seq >= seq) return;
    // The latest stands last.
    this.#tasks.delete(taskId);
    this.#tasks.set(taskId, { shard, seq, history });
    if (this.#tasks.size > TASKS_MAX) this.#forgetOldest();
  }

  /** false: `of` will say 0, whatever shard it is in. */
  mayKnow(taskId: string): boolean {
    return this.#tasks.has(taskId) || this.#forgotten.size > 0;
  }

  /** 0: nothing that is still there. */
  of(taskId: string, shard: string): number {
    const last = this.#tasks.get(taskId) ?? this.#forgotten.get(shard);
    if (last === undefined || last.shard !== shard) return 0;
    const history = this.#historyOf(shard);
    const restored = last.history !== null && history !== null && last.history !== history;
    return restored ? 0 : last.seq;
  }

  forget(day: string): void {
    for (const [id, { shard }] of this.#tasks) {
      if (parseShard(shard)?.day === day) this.#tasks.delete(id);
    }
    for (const shard of this.#forgotten.keys()) {
      if (parseShard(shard)?.day === day) this.#forgotten.delete(shard);
    }
  }

  #forgetOldest(): void {
    const [id, last] = this.#tasks.entries().next().value as [string, Last];
    this.#tasks.delete(id);
    const before = this.#forgotten.get(last.shard);
    if (before === undefined || before.history !== last.history || before.seq < last.seq) {
      this.#forgotten.set(last.shard, last);
    }
  }
}

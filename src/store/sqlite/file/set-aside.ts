/**
 * What is stored of a run, a task or a host and cannot be understood: it is named for the operator,
 * once, and everything beside it goes on. A run or a task is left as it is, a host begins anew with
 * its next event. `shiplog rebuild` folds all of it anew.
 */
import { LRUCache } from 'lru-cache';
import type { GuardLog } from '../../../guarded.ts';

const MAX_NAMED = 1_000;

/** A run has both, a task no host, a host no task. */
export interface Damaged {
  taskId?: string;
  host?: string;
}

export class SetAside {
  readonly #log: GuardLog | null;
  readonly #named = new LRUCache<string, true>({ max: MAX_NAMED });

  constructor(log: GuardLog | null) {
    this.#log = log;
  }

  /** `error`: null where nothing more is known than that it cannot be read. */
  add(what: Damaged, error: unknown): void {
    const name = JSON.stringify([what.taskId, what.host]);
    if (this.#named.get(name) !== undefined) return;
    this.#named.set(name, true);
    this.#log?.error(
      { err: error, ...what },
      'what is stored here cannot be understood and is set aside; shiplog rebuild folds it anew',
    );
  }

  /** What `read` makes of what is stored; null: it cannot be understood, and is set aside. */
  try<T>(what: Damaged, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      this.add(what, error);
      return null;
    }
  }
}

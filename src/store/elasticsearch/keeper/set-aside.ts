/**
 * What cannot be folded or stored, ever: it is named for the operator and left as it is, and its
 * shard goes on. One run that is damaged must not stop the views of all the others.
 */
import type { StoreLog } from '../cluster/store-log.ts';

/** Each is met again with each of its events. */
const SAY_EVERY_MS = 10_000;

export interface Aside {
  /** null: it is of no task, but the host in all of them. */
  taskId: string | null;
  /** null: the task itself. */
  host: string | null;
}

export class SetAside {
  readonly #log: StoreLog | null;
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;
  count = 0;

  constructor(log: StoreLog | null) {
    this.#log = log;
  }

  /** `why`: an error, or what Elasticsearch said. */
  add({ taskId, host }: Aside, why: unknown): void {
    this.count++;
    const now = performance.now();
    if (now - this.#saidAt < SAY_EVERY_MS) {
      this.#unsaid++;
      return;
    }
    this.#log?.warn(
      { taskId, host, err: why, othersSince: this.#unsaid },
      'a view is left as it is: it cannot be folded or stored',
    );
    this.#saidAt = now;
    this.#unsaid = 0;
  }

  /** Runs `body`; what it throws sets `what` aside. false: it did. */
  try(what: Aside, body: () => void): boolean {
    try {
      body();
      return true;
    } catch (error) {
      this.add(what, error);
      return false;
    }
  }
}

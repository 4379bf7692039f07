/**
 * The one way in which timers and listeners run code of ours. Nothing up there catches what they
 * throw: it would end the process, or the chain of timers, and with it what all others rely on.
 */
/** A timer that fails at each turn says so once in this time, and then how often it did. */
const LOG_EVERY_MS = 60_000;

/** The part of the server's log that a guard writes to. */
export interface GuardLog {
  error(fields: object, message: string): void;
}

/**
 * A function that runs `f` and never throws: what `f` throws, now or as a promise, is logged as
 * "`doing` failed", at most once a minute. `doing` is what a reader of the log knows it by.
 */
export function guarded(log: GuardLog, doing: string, f: () => void | Promise<void>): () => void {
  let loggedAt = -Infinity;
  let unlogged = 0;

  function failed(error: unknown): void {
    const now = performance.now();
    if (now - loggedAt < LOG_EVERY_MS) {
      unlogged++;
      return;
    }
    log.error({ err: error, failedBefore: unlogged }, `${doing} failed`);
    loggedAt = now;
    unlogged = 0;
  }

  return () => {
    try {
      const running = f();
      if (running instanceof Promise) running.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}

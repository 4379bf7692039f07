/**
 * The one way in which timers and listeners run code of ours. Nothing above them catches what they
 * throw: it would end the process, or the chain of timers, and with it what everybody relies on.
 */

/** A timer that fails at each turn says so once in this time, and then how often it did. */
const LOG_EVERY_MS = 60_000;

/** The part of the server's log that a guard writes to. */
export interface GuardLog {
  error(fields: object, message: string): void;
}

/**
 * A function that runs `f` and never throws: what `f` throws, now or as a promise, is logged as
 * "`doing` failed", at most once a minute. `doing` is what a reader of the log knows it by; without
 * a log nobody is told.
 */
export function guarded<A extends unknown[]>(
  log: GuardLog | null,
  doing: string,
  f: (...args: A) => void | Promise<void>,
): (...args: A) => void {
  let loggedAt = -Infinity;
  let unlogged = 0;

  function failed(error: unknown): void {
    const now = performance.now();
    if (now - loggedAt < LOG_EVERY_MS) {
      unlogged++;
      return;
    }
    log?.error({ err: error, failedBefore: unlogged }, `${doing} failed`);
    loggedAt = now;
    unlogged = 0;
  }

  return (...args) => {
    try {
      const running = f(...args);
      if (running instanceof Promise) running.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** `f`, guarded, every so often; it keeps no process alive. */
export function every(
  ms: number,
  log: GuardLog | null,
  doing: string,
  f: () => void | Promise<void>,
): NodeJS.Timeout {
  return setInterval(guarded(log, doing, f), ms).unref();
}

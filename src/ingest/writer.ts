/**
 * The one way into the log: group commit with back-pressure.
 *
 * Whatever arrived while the last append ran goes into the next one, without artificial delay. A
 * submission is never split over two appends, so on an engine with transactions it is taken whole
 * or not at all. When the queue is full nothing of a submission is taken: OVERLOADED.
 */
import { ShiplogError } from '../domain/errors.ts';
import type { LogEvent, StoredEvent } from '../domain/event/event.ts';
import { approximateBytes } from '../domain/event/event-weight.ts';
import { Signal } from '../signal.ts';
import type { AppendOutcome, Store, Unsettled } from '../store/store.ts';

/** Waiting for the store, over all senders: about ten seconds of work at full speed. */
const MAX_QUEUED_EVENTS = 50_000;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
const RETRY_AFTER_MS = 1_000;

interface Submission {
  events: readonly LogEvent[];
  bytes: number;
  resolve: (outcomes: AppendOutcome[]) => void;
  reject: (error: unknown) => void;
}

export interface Writer {
  /**
   * Appends, publishes what was stored, then answers: outcomes in the order of `events`.
   * Rejects with OVERLOADED, SHUTTING_DOWN or what the store said; then nothing is acknowledged.
   * What the store cannot take of one submission does not touch the others.
   */
  submit(events: readonly LogEvent[]): Promise<AppendOutcome[]>;
  queuedEvents(): number;
  queuedBytes(): number;
  appends(): number;
  /** Takes nothing more; resolves when all that was taken is answered. */
  close(): Promise<void>;
}

export function createWriter(
  store: Pick<Store, 'append' | 'appendLimits'>,
  publish: (events: StoredEvent[]) => void,
): Writer {
  const { inFlight: maxInFlight, batchEvents, batchBytes } = store.appendLimits;
  const queue: Submission[] = [];
  let queuedEvents = 0;
  let queuedBytes = 0;
  let inFlight = 0;
  let appends = 0;
  let closed = false;
  const idle = new Signal();

  function nextBatch(): Submission[] {
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const submission of queue) {
      const fits =
        events + submission.events.length <= batchEvents && bytes + submission.bytes <= batchBytes;
      if (count > 0 && !fits) break;
      events += submission.events.length;
      bytes += submission.bytes;
      count++;
    }
    return queue.splice(0, count);
  }

  function pump(): void {
    while (inFlight < maxInFlight && queue.length > 0) {
      inFlight++;
      void run(nextBatch());
    }
    if (inFlight === 0) idle.wake();
  }

  async function run(batch: Submission[]): Promise<void> {
    const events =
      batch.length === 1 && batch[0] ? batch[0].events : batch.flatMap((s) => s.events);
    appends++;
    try {
      const outcomes = await store.append(events);
      publish(storedOf(events, outcomes));
      let from = 0;
      for (const submission of batch) {
        settle(submission, outcomes.slice(from, from + submission.events.length));
        from += submission.events.length;
      }
    } catch (error) {
      for (const submission of batch) submission.reject(error);
    } finally {
      for (const submission of batch) {
        queuedEvents -= submission.events.length;
        queuedBytes -= submission.bytes;
      }
      inFlight--;
      pump();
    }
  }

  return {
    submit(events) {
      if (closed) {
        return Promise.reject(new ShiplogError('SHUTTING_DOWN', 'the server is stopping'));
      }
      if (events.length === 0) return Promise.resolve([]);
      const bytes = events.reduce((sum, event) => sum + approximateBytes(event), 0);
      // A lone submission always fits, or a large one could never be taken.
      const full =
        queuedEvents > 0 &&
        (queuedEvents + events.length > MAX_QUEUED_EVENTS ||
          queuedBytes + bytes > MAX_QUEUED_BYTES);
      if (full) {
        return Promise.reject(
          new ShiplogError('OVERLOADED', 'the queue is full; nothing of this request was taken', {
            retryAfterMs: RETRY_AFTER_MS,
          }),
        );
      }
      queuedEvents += events.length;
      queuedBytes += bytes;
      return new Promise((resolve, reject) => {
        queue.push({ events, bytes, resolve, reject });
        pump();
      });
    },
    queuedEvents: () => queuedEvents,
    queuedBytes: () => queuedBytes,
    appends: () => appends,
    async close() {
      closed = true;
      // What is queued is under way as soon as there is room, so it is waited for, too.
      if (inFlight > 0) await idle.wait();
    },
  };
}

function settle(submission: Submission, outcomes: readonly (AppendOutcome | Unsettled)[]): void {
  const decided: AppendOutcome[] = [];
  for (const outcome of outcomes) {
    if (outcome.outcome === 'UNSETTLED') {
      submission.reject(outcome.error);
      return;
    }
    decided.push(outcome);
  }
  submission.resolve(decided);
}

function storedOf(
  events: readonly LogEvent[],
  outcomes: readonly (AppendOutcome | Unsettled)[],
): StoredEvent[] {
  const stored: StoredEvent[] = [];
  for (let i = 0; i < events.length; i++) {
    const outcome = outcomes[i];
    if (outcome?.outcome !== 'STORED') continue;
    stored.push({
      ...(events[i] as LogEvent),
      service: outcome.service,
      environment: outcome.environment,
      position: outcome.position,
    });
  }
  return stored;
}

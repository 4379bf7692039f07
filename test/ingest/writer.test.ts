/** The one ordered writer: what it puts together, what it refuses, how it ends. */
import { describe, expect, it } from 'vitest';
import { ShiplogError } from '../../src/domain/errors.ts';
import type { LogEvent } from '../../src/domain/event/event.ts';
import { createRedactor } from '../../src/domain/redact/redact.ts';
import { createIngest } from '../../src/ingest/ingest.ts';
import { createWriter } from '../../src/ingest/writer.ts';
import type { AppendOutcome, Store } from '../../src/store/store.ts';
import { quietLog } from '../support/engines.ts';

describe('the writer', () => {
  /** A store whose appends end when the test says so: a stall cannot be had otherwise. */
  function stalling() {
    const batches: number[] = [];
    const ends: (() => void)[] = [];
    const append = (events: readonly unknown[]) => {
      batches.push(events.length);
      return new Promise<AppendOutcome[]>((resolve) => {
        ends.push(() =>
          resolve(events.map(() => ({ outcome: 'DUPLICATE' as const, position: null }))),
        );
      });
    };
    const appendLimits = { inFlight: 1, batchEvents: 1_000, batchBytes: 1024 * 1024 };
    return { store: { append, appendLimits } as unknown as Store, batches, ends };
  }
  const raws = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      taskId: 't',
      host: 'h',
      step: 's',
      message: `${i}`,
    }));
  const ingestOf = (store: Store) =>
    createIngest({
      store,
      redactor: createRedactor(),
      publish: () => {},
      now: Date.now,
      log: quietLog,
    });

  it('puts what arrived while the last append ran into the next one', async () => {
    const { store, batches, ends } = stalling();
    const ingest = ingestOf(store);
    const answers = [1, 2, 3, 4].map((count) => ingest.logSteps(raws(count)));
    await new Promise(setImmediate);
    expect(batches).toEqual([1]);
    ends[0]?.();
    await answers[0];
    await new Promise(setImmediate);
    expect(batches).toEqual([1, 9]);
    ends[1]?.();
    await Promise.all(answers);
  });

  it('refuses a request of which the store cannot take something now, and none that came with it', async () => {
    const error = new ShiplogError('STORE_UNAVAILABLE', 'that shard is away', {
      retryAfterMs: 1_000,
    });
    const appendLimits = { inFlight: 1, batchEvents: 1_000, batchBytes: 1024 * 1024 };
    const published: string[] = [];
    let batches = 0;
    const append = async (events: readonly LogEvent[]) => {
      batches++;
      return events.map(({ taskId }, i) =>
        taskId === 'away'
          ? { outcome: 'UNSETTLED' as const, error }
          : {
              outcome: 'STORED' as const,
              position: { shard: '0', seq: batches * 10 + i },
              service: null,
              environment: null,
            },
      );
    };
    const ingest = createIngest({
      store: { append, appendLimits } as unknown as Store,
      redactor: createRedactor(),
      publish: (events) => published.push(...events.map(({ taskId }) => taskId)),
      now: Date.now,
      log: quietLog,
    });
    const of = (...taskIds: string[]) =>
      ingest.logSteps(taskIds.map((taskId) => ({ taskId, host: 'h', step: 's', message: 'm' })));
    const answers = await Promise.allSettled([of('first'), of('here', 'away'), of('there')]);
    expect(batches).toBe(2);
    expect(answers).toMatchObject([
      { status: 'fulfilled', value: [{ outcome: 'STORED' }] },
      { status: 'rejected', reason: { code: 'STORE_UNAVAILABLE', retryAfterMs: 1_000 } },
      { status: 'fulfilled', value: [{ outcome: 'STORED' }] },
    ]);
    // What is stored is followed, whatever its sender was told.
    expect(published).toEqual(['first', 'here', 'there']);
  });

  it('refuses with OVERLOADED and a time to wait when its queue is full, and takes nothing of it', async () => {
    const { store, batches, ends } = stalling();
    const ingest = ingestOf(store);
    const taken: Promise<unknown>[] = [];
    for (let i = 0; i < 50; i++) taken.push(ingest.logSteps(raws(1_000)));
    await expect(ingest.logSteps(raws(1))).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryAfterMs: expect.any(Number),
    });
    for (let i = 0; i < 50; i++) {
      ends[i]?.();
      await taken[i];
      await new Promise(setImmediate);
    }
    expect(batches.reduce((sum, size) => sum + size, 0)).toBe(50_000);
  });

  it('answers everything that was taken before it closes, and takes nothing more', async () => {
    const { store, ends } = stalling();
    const writer = createWriter(store, () => {});
    const ingest = ingestOf(store);
    const answer = ingest.logSteps(raws(1));
    const closed = [ingest.close(), ingest.close()];
    await expect(ingest.logSteps(raws(1))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    ends[0]?.();
    await answer;
    await Promise.all(closed);
    await writer.close();
  });
});

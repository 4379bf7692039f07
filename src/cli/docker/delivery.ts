/**
 * Delivers lines in order, a batch at a time, for as long as it takes. Nothing is ever dropped:
 * when the queue is full the engine's logs are not read on, and they lie safe where they are.
 */
import type { StepEventInput } from '../../senders/mapping/map-document.ts';
import { Signal } from '../../signal.ts';
import { BatchSize } from '../batch-size.ts';
import type { Client } from '../client.ts';
import { say } from '../output.ts';
import { deliver, type Line } from '../send.ts';

export interface Pending {
  event: StepEventInput;
  container: string;
  /** Of the line. */
  time: string;
}

type Entry = Pending & Line;

const BATCH_EVENTS = 500;
const MOST_BYTES = 4 * 1_024 * 1_024;

export class Delivery {
  readonly #client: Client;
  readonly #onDelivered: (delivered: readonly Pending[]) => void;
  readonly #signal: AbortSignal;
  readonly #size = new BatchSize();
  #queue: Entry[] = [];
  #bytes = 0;
  #loop: Promise<void> | null = null;
  readonly #room = new Signal();
  readonly #failure = Promise.withResolvers<never>();
  readonly counts = { stored: 0, duplicates: 0, rejected: 0 };

  /** `signal`: gives up what is still there. */
  constructor(
    client: Client,
    onDelivered: (delivered: readonly Pending[]) => void,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#onDelivered = onDelivered;
    this.#signal = signal;
    this.#failure.promise.catch(() => undefined);
  }

  /** Rejects when nothing can be delivered any more: the server refuses, or the signal says so. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Resolves when there is room for more, rejects as `failed`. */
  async add(pending: Pending): Promise<void> {
    const text = JSON.stringify(pending.event);
    const bytes = Buffer.byteLength(text) + 1;
    this.#queue.push({ ...pending, place: pending.container.slice(0, 12), text, bytes });
    this.#bytes += bytes;
    this.#loop ??= this.#run().catch(this.#failure.reject);
    if (this.#bytes < MOST_BYTES) return;
    await Promise.race([this.failed, this.#room.wait()]);
  }

  /** Resolves when everything is delivered, rejects as `failed`. */
  async settle(): Promise<void> {
    while (this.#loop !== null) await Promise.race([this.failed, this.#loop]);
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#take();
      const onRetry = (message: string): void => say(`shiplog: ${message}; trying again`);
      const options = { signal: this.#signal, onRetry };
      await deliver(this.#client, batch, this.#size, options, this.counts);
      this.#onDelivered(batch);
      this.#room.wake();
    }
    this.#loop = null;
  }

  #take(): Entry[] {
    let count = 0;
    let bytes = 0;
    for (const entry of this.#queue) {
      const isFull = count > 0 && bytes + entry.bytes > this.#size.bytes;
      if (count >= BATCH_EVENTS || isFull) break;
      count++;
      bytes += entry.bytes;
    }
    this.#bytes -= bytes;
    return this.#queue.splice(0, count);
  }
}

/**
 * Sends the documents of a page and resolves when the server has all of them. Tasks go in lanes beside
 * one another, each in order, so a task's lines are stored as they were read.
 */
import { hash } from 'node:crypto';
import { BatchSize } from '../batch-size.ts';
import type { Client, Problem } from '../client.ts';
import { say } from '../output.ts';
import { deliver, type Line } from '../send.ts';
import type { ImportDocument } from './document.ts';
import type { Rejects } from './rejects.ts';

const LANES = 4;
const BATCH = 1_000;

interface Entry extends Line {
  document: ImportDocument;
}

export class PageDelivery {
  readonly #client: Client;
  readonly #rejects: Rejects;
  readonly #signal: AbortSignal;
  readonly #size = new BatchSize();
  readonly counts = { documents: 0, stored: 0, duplicates: 0, rejected: 0 };
  #isTrying = false;

  /** `signal`: gives up what is under way. */
  constructor(client: Client, rejects: Rejects, signal: AbortSignal) {
    this.#client = client;
    this.#rejects = rejects;
    this.#signal = signal;
  }

  /** Rejects where the server refuses for good, or the signal says so. */
  async deliver(documents: readonly ImportDocument[]): Promise<void> {
    const lanes: Entry[][] = Array.from({ length: LANES }, () => []);
    for (const document of documents) {
      this.counts.documents++;
      const { event, place } = document;
      if (event === null) {
        this.counts.rejected++;
        this.#rejects.add(document, document.problem);
        continue;
      }
      const text = JSON.stringify(event);
      const bytes = Buffer.byteLength(text) + 1;
      lanes[laneOf(event.taskId)]?.push({ place, text, bytes, document });
    }
    await Promise.all(lanes.map((lane) => this.#deliverInOrder(lane)));
    await this.#rejects.flush();
  }

  async #deliverInOrder(lane: readonly Entry[]): Promise<void> {
    for (let from = 0; from < lane.length; from += BATCH) {
      const batch = lane.slice(from, from + BATCH);
      const total = { stored: 0, duplicates: 0, rejected: 0 };
      await deliver(
        this.#client,
        batch,
        this.#size,
        {
          signal: this.#signal,
          onRetry: (message) => this.#sayOnce(message),
          onRejected: (line, problem) => this.#reject(line as Entry, problem, total),
        },
        total,
      );
      this.#isTrying = false;
      this.counts.stored += total.stored;
      this.counts.duplicates += total.duplicates;
      this.counts.rejected += total.rejected;
    }
  }

  /** Several lanes wait for the same server, each with many tries: what they say is said once. */
  #sayOnce(message: string): void {
    if (!this.#isTrying) say(`${message}; trying again`);
    this.#isTrying = true;
  }

  /** A document under an id that is there was changed on its way; the first copy stands. */
  #reject(
    { document }: Entry,
    problem: Problem,
    total: { duplicates: number; rejected: number },
  ): void {
    if (problem.code !== 'ID_CONFLICT' || document.event === null || !document.isMapped) {
      this.#rejects.add(document, problem);
      return;
    }
    total.duplicates++;
    total.rejected--;
  }
}

function laneOf(taskId: unknown): number {
  return hash('sha1', String(taskId), 'buffer').readUInt32LE(0) % LANES;
}

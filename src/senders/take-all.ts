/** Many documents of one request, a batch at a time, so that the event loop is never held long. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { InputProblem } from '../domain/errors.ts';
import type { Reporter } from '../ingest/rejections.ts';
import type { ForeignDocument } from './foreign-document.ts';
import { BATCH, type Senders } from './senders.ts';

export interface Taken {
  /** Stored now or before. */
  stored: number;
  /** Never to be stored, however often they are sent. */
  rejected: number;
  /** Why the first rejected one was. */
  problem: InputProblem | null;
}

/** What could not be read as a document, among those that could. */
export type Unreadable = InputProblem;

/**
 * Rejects as `senders.take` does; batches before are stored then, and known again when all of it
 * is sent again.
 */
export async function takeAll(
  senders: Senders,
  documents: Iterable<ForeignDocument | Unreadable>,
  reporter: Reporter,
): Promise<Taken> {
  const taken: Taken = { stored: 0, rejected: 0, problem: null };
  const reject = (problem: InputProblem | null): void => {
    taken.rejected++;
    taken.problem ??= problem;
  };
  let batch: ForeignDocument[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const outcomes = senders.take(batch, reporter);
    batch = [];
    for (const { outcome, problem } of await outcomes) {
      if (outcome === 'REJECTED') reject(problem);
      else taken.stored++;
    }
  };
  let looked = 0;
  for (const document of documents) {
    // Those that are wrong wait for no store.
    if (++looked % BATCH === 0) await nextTurn();
    if ('code' in document) {
      senders.noteRejected(document, reporter);
      reject(document);
      continue;
    }
    batch.push(document);
    if (batch.length >= BATCH) await flush();
  }
  await flush();
  return taken;
}

/**
 * The way in for documents of others: mapped, given an identity, stored by ingest. What every
 * protocol here hands over its documents to.
 */
import type { InputProblem } from '../domain/errors.ts';
import type { Ingest, StepOutcome } from '../ingest/ingest.ts';
import type { Reporter } from '../ingest/rejections.ts';
import type { Log } from '../log.ts';
import { documentEvent } from './document-event.ts';
import type { ForeignDocument, SourceKind } from './foreign-document.ts';
import type { StepEventInput } from './mapping/map-document.ts';
import type { Mappings } from './mapping/mappings.ts';
import { type Misfit, MisfitCounts } from './mapping/misfits.ts';
import { RememberedTasks } from './remembered-tasks.ts';

export interface DocumentOutcome {
  outcome: 'STORED' | 'DUPLICATE' | 'REJECTED';
  /** The id of the event; null if it was REJECTED. */
  eventId: string | null;
  problem: InputProblem | null;
}

export interface Senders {
  /**
   * One outcome for each document, in order. Rejects, as `ingest.logSteps` does, only where nothing
   * can be taken now (OVERLOADED, STORE_UNAVAILABLE, STORE_FULL, SHUTTING_DOWN): then all of it
   * may be sent again. At most `BATCH` documents at a time.
   */
  take(documents: readonly ForeignDocument[], reporter: Reporter): Promise<DocumentOutcome[]>;
  /** Counts and tells what did not fit, for what is found before the mapping. */
  noteMisfit(misfit: Misfit, index: string | null): void;
  /** Counts what could not even be read as a document. */
  noteRejected(problem: InputProblem, reporter: Reporter): void;
  metrics(): Record<string, number>;
}

export interface SendersOptions {
  ingest: Pick<Ingest, 'logSteps' | 'noteRejected'>;
  mappings: Mappings;
  now: () => number;
  log: Pick<Log, 'warn'>;
}

/** Documents of one append: what the event loop is held for between two looks at its sockets. */
export const BATCH = 1_000;

export function createSenders({ ingest, mappings, now, log }: SendersOptions): Senders {
  const misfits = new MisfitCounts(log, now);
  const tasks = new RememberedTasks();
  const taken: Record<string, number> = {};

  function eventOf(document: ForeignDocument, address: string | null): StepEventInput {
    const mapping = mappings.for(document);
    const { event, isNamed, misfits: found } = documentEvent(document, mapping, address);
    for (const misfit of found) misfits.note(misfit, document.index ?? document.kind);
    const { eventId } = event;
    if (isNamed && typeof eventId === 'string') {
      // Wherever it would belong now: ids are known within their task.
      event.taskId = tasks.of(eventId, event.taskId);
    }
    return event;
  }

  async function settled(
    kinds: ReadonlyMap<SourceKind, number>,
    outcomes: Promise<StepOutcome[]>,
  ): Promise<DocumentOutcome[]> {
    const all = (await outcomes).map(outcomeOf);
    for (const [kind, count] of kinds) taken[kind] = (taken[kind] ?? 0) + count;
    return all;
  }

  return {
    // Not async: while the store writes nobody holds the documents, which weigh more than their events.
    take(documents, reporter) {
      const kinds = new Map<SourceKind, number>();
      for (const { kind } of documents) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      const events = documents.map((document) => eventOf(document, reporter.address));
      return settled(kinds, ingest.logSteps(events, reporter, { idAlone: true }));
    },
    noteMisfit: (misfit, index) => misfits.note(misfit, index),
    noteRejected: (problem, reporter) => ingest.noteRejected(problem, reporter),
    metrics: () => ({
      ...Object.fromEntries(
        Object.entries(taken).map(([kind, count]) => [
          `sender_documents_total{protocol="${kind}"}`,
          count,
        ]),
      ),
      ...misfits.metrics(),
    }),
  };
}

/** A copy from before ids alone told has a digest, and is the same document all the same. */
function outcomeOf({ outcome, eventId, problem }: StepOutcome): DocumentOutcome {
  if (problem?.code === 'ID_CONFLICT') return { outcome: 'DUPLICATE', eventId, problem: null };
  return { outcome, eventId, problem };
}

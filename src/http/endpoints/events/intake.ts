/** What one request has brought so far: how many events of which outcome, and the list of them. */
import type { InputProblem } from '../../../domain/errors.ts';
import type { Ingest, StepOutcome } from '../../../ingest/ingest.ts';
import type { Auth, Principal } from '../../auth.ts';
import { onTerms, type RequestTerms } from '../sent-event.ts';
import type { Item } from './items.ts';

/** Results that one answer lists. */
const MAX_RESULTS = 10_000;
/** Hosts that a result tells of. */
const MAX_LEFT_OUT = 100;

interface Result {
  index: number;
  outcome: StepOutcome['outcome'];
  eventId: string | null;
  error?: InputProblem;
  leftOut?: readonly InputProblem[];
}

export type EventSink = Pick<Ingest, 'logSteps' | 'noteRejected'>;

/** Counts and lists outcomes; items go to the store a batch at a time, in order. */
export class Intake {
  /** Items (NDJSON: lines) whose outcome is known: what need not be sent again. */
  taken = 0;
  readonly #ingest: EventSink;
  readonly #auth: Pick<Auth, 'requireStanding'>;
  readonly #sender: Principal;
  readonly #terms: RequestTerms;
  readonly #listAll: boolean;
  readonly #counts = { stored: 0, duplicates: 0, rejected: 0 };
  readonly #results: Result[] = [];
  #truncated = false;

  constructor(
    { ingest, auth }: { ingest: EventSink; auth: Pick<Auth, 'requireStanding'> },
    sender: Principal,
    terms: RequestTerms,
    listAll: boolean,
  ) {
    this.#ingest = ingest;
    this.#auth = auth;
    this.#sender = sender;
    this.#terms = terms;
    this.#listAll = listAll;
  }

  /** Events came, and of none can be said that it is stored: no success to anybody. */
  get nothingTaken(): boolean {
    const { stored, duplicates, rejected } = this.#counts;
    return rejected > 0 && stored === 0 && duplicates === 0;
  }

  /** Rejects where nothing of this batch was taken. */
  async store(items: readonly Item[], upTo: number): Promise<void> {
    if (items.length === 0) {
      this.taken = upTo;
      return;
    }
    this.#auth.requireStanding(this.#sender);
    const readable = items.filter((item) => item.problem === null);
    const raws = readable.map(({ raw, index }) => onTerms(raw, index, this.#terms));
    const outcomes = await this.#ingest.logSteps(raws, this.#sender);
    let next = 0;
    for (const { index, problem: unreadable } of items) {
      if (unreadable !== null) {
        this.#ingest.noteRejected(unreadable, this.#sender);
        this.#note({ index, outcome: 'REJECTED', eventId: null, error: unreadable });
        continue;
      }
      const { outcome, eventId, problem, leftOut } = outcomes[next++] as StepOutcome;
      this.#note({
        ...{ index, outcome, eventId },
        ...(problem === null ? {} : { error: problem }),
        ...(leftOut === undefined ? {} : { leftOut: leftOut.slice(0, MAX_LEFT_OUT) }),
      });
    }
    this.taken = upTo;
  }

  answer(): { stored: number; duplicates: number; rejected: number; results: Result[] } {
    return {
      ...this.#counts,
      results: this.#results,
      ...(this.#truncated ? { resultsTruncated: true } : {}),
    };
  }

  #note(result: Result): void {
    if (result.outcome === 'STORED') this.#counts.stored++;
    else if (result.outcome === 'DUPLICATE') this.#counts.duplicates++;
    else this.#counts.rejected++;
    const isWhole = result.outcome === 'STORED' && result.leftOut === undefined;
    if (isWhole && !this.#listAll) return;
    if (this.#results.length < MAX_RESULTS) this.#results.push(result);
    else this.#truncated = true;
  }
}

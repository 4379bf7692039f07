/** What of a document did not fit into an event: nothing is refused for it, and it is told. */
import { LineLimiter, type Log } from '../../log.ts';

export const MISFIT_REASONS = {
  time: 'The time cannot be read; the time of receipt stands instead.',
  value: 'The value is not one that the field can have; it is kept among the parameters.',
  cut: 'The text is longer than the field holds; it is cut and marked.',
  label: 'The label is beyond the caps on labels; it is left out.',
  attribute: 'The field is beyond the caps on parameters; it is left out.',
  fields: 'The document has too many fields, or one of them twice; some are left out.',
  text: 'The document is not UTF-8; what is none is replaced by U+FFFD.',
} as const;
export type MisfitReason = keyof typeof MISFIT_REASONS;

export interface Misfit {
  reason: MisfitReason;
  /** A path in the document. */
  field: string;
}

/** The misfits of one document. */
export class Misfits {
  readonly list: Misfit[] = [];

  note(reason: MisfitReason, field: string): void {
    this.list.push({ reason, field: field.slice(0, 128).toWellFormed() });
  }
}

/** Counts the misfits of all documents by reason, and tells them in the log without their content. */
export class MisfitCounts {
  readonly #log: Pick<Log, 'warn'>;
  readonly #limiter: LineLimiter;
  readonly #counts = new Map<MisfitReason, number>();

  constructor(log: Pick<Log, 'warn'>, now: () => number) {
    this.#log = log;
    this.#limiter = new LineLimiter(now);
    for (const reason of Object.keys(MISFIT_REASONS)) this.#counts.set(reason as MisfitReason, 0);
  }

  /** `index`: or what else tells where the document comes from. */
  note({ reason, field }: Misfit, index: string | null): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const documents = this.#limiter.count(JSON.stringify([reason, field, index]));
    if (documents === 0) return;
    const meaning = MISFIT_REASONS[reason];
    this.#log.warn({ reason, field, index, documents }, `not all of a document fits: ${meaning}`);
  }

  metrics(): Record<string, number> {
    return Object.fromEntries(
      [...this.#counts].map(([reason, count]) => [
        `sender_misfits_total{reason="${reason}"}`,
        count,
      ]),
    );
  }
}

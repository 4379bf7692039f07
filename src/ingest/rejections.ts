/**
 * What was REJECTED, counted by code and told in the log. A sender that never looks at its answers
 * would otherwise lose everything without a sign. Of the event the log has its source alone: what
 * it says is nobody's business there.
 */
import { type InputProblem, PROBLEM_CODES, type ProblemCode } from '../domain/errors.ts';
import { LineLimiter, type Log } from '../log.ts';

/** Who reported, as the transport knows it. */
export interface Reporter {
  /** null: the server runs without tokens. */
  tokenId: string | null;
  /** The address of the other end of the connection; null: it has gone. */
  address: string | null;
}

export const NOBODY: Reporter = { tokenId: null, address: null };

const TEXT_MAX = 128;

export class Rejections {
  readonly #log: Pick<Log, 'warn'>;
  readonly #counts = new Map<ProblemCode, number>();
  readonly #limiter: LineLimiter;

  constructor(log: Pick<Log, 'warn'>, now: () => number) {
    this.#log = log;
    this.#limiter = new LineLimiter(now);
    for (const code of Object.keys(PROBLEM_CODES)) this.#counts.set(code as ProblemCode, 0);
  }

  /** `raw`: the event as it was sent. */
  note({ code, field }: InputProblem, raw: unknown, reporter: Reporter): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    const { tokenId, address } = reporter;
    // One line a minute for each code, field, token and address.
    const events = this.#limiter.count(JSON.stringify([code, field, tokenId, address]));
    if (events === 0) return;
    this.#log.warn(
      { code, field, source: sourceOf(raw), tokenId, address, events },
      'events were rejected; their senders are told why',
    );
  }

  /** By code, each from 0. */
  counts(): ReadonlyMap<ProblemCode, number> {
    return this.#counts;
  }
}

function sourceOf(raw: unknown): string | null {
  const source = typeof raw === 'object' && raw !== null ? (raw as { source?: unknown }).source : 0;
  return typeof source === 'string' ? source.slice(0, TEXT_MAX).toWellFormed() : null;
}

/**
 * What was REJECTED, counted by code and told in the log. A sender that never looks at its answers
 * would otherwise lose everything without a sign. Of the event the log has its source alone: what
 * it says is nobody's business there.
 */
import { LRUCache } from 'lru-cache';
import { type InputProblem, PROBLEM_CODES, type ProblemCode } from '../domain/errors.ts';
import type { Log } from '../log.ts';

/** Who reported, as the transport knows it. */
export interface Reporter {
  /** null: the server runs without tokens. */
  tokenId: string | null;
  /** Of the other end of the connection; null: it has gone. */
  address: string | null;
}

export const NOBODY: Reporter = { tokenId: null, address: null };

/** Of one kind (code, field, token, address) one line in so long; and so many lines of all. */
const SAME_AFTER_MS = 60_000;
const LINES_PER_MINUTE = 20;
const KINDS_MAX = 1_000;
const TEXT_MAX = 128;

export class Rejections {
  readonly #log: Pick<Log, 'warn'>;
  readonly #now: () => number;
  readonly #counts = new Map<ProblemCode, number>();
  /** Of each kind, when it was told last and how many came since. */
  readonly #told = new LRUCache<string, { at: number; untold: number }>({ max: KINDS_MAX });
  #minute = 0;
  #lines = 0;

  constructor(log: Pick<Log, 'warn'>, now: () => number) {
    this.#log = log;
    this.#now = now;
    for (const code of Object.keys(PROBLEM_CODES)) this.#counts.set(code as ProblemCode, 0);
  }

  /** `raw`: the event as it was sent. */
  note({ code, field }: InputProblem, raw: unknown, reporter: Reporter): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    const key = JSON.stringify([code, field, reporter.tokenId, reporter.address]);
    const kind = this.#told.get(key) ?? { at: -Infinity, untold: 0 };
    this.#told.set(key, kind);
    kind.untold++;
    if (!this.#mayTell(kind.at)) return;
    const { tokenId, address } = reporter;
    this.#log.warn(
      { code, field, source: sourceOf(raw), tokenId, address, events: kind.untold },
      'events were rejected; their senders are told why',
    );
    kind.at = this.#now();
    kind.untold = 0;
  }

  /** By code, each from 0. */
  counts(): ReadonlyMap<ProblemCode, number> {
    return this.#counts;
  }

  #mayTell(toldAt: number): boolean {
    const now = this.#now();
    if (now - toldAt < SAME_AFTER_MS) return false;
    const minute = Math.floor(now / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#lines = 0;
    }
    return this.#lines++ < LINES_PER_MINUTE;
  }
}

function sourceOf(raw: unknown): string | null {
  const source = typeof raw === 'object' && raw !== null ? (raw as { source?: unknown }).source : 0;
  return typeof source === 'string' ? source.slice(0, TEXT_MAX).toWellFormed() : null;
}

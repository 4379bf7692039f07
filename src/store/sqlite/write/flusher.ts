/** When the views are written: soon where nothing else is to be done, and before they are far behind. */
import { type GuardLog, guarded } from '../../../guarded.ts';
import type { Views } from './views.ts';

/** Where nothing comes, they are written so soon; readers who need them do not wait for it. */
const SOON_MS = 50;
/** Under a steady load the views are no older than this. */
const LATEST_MS = 250;
/** Nor do they lack more events than this, which a start after a crash folds again. */
const MAX_BEHIND = 5_000;
/** After a failure (a full disk) they are tried again this often, and not at every append. */
const RETRY_MS = 1_000;

export class Flusher {
  readonly #views: Views;
  #timer: NodeJS.Timeout | null = null;
  #since: number | null = null;
  #notBefore = 0;
  readonly #flush: () => void;

  constructor(views: Views, log: GuardLog) {
    this.#views = views;
    this.#flush = guarded(log, 'writing the views', () => this.#write());
  }

  /** After every request. */
  look(): void {
    if (this.#views.behind === 0) {
      this.#since = null;
      return;
    }
    const now = performance.now();
    this.#since ??= now;
    if (now - this.#since >= LATEST_MS || this.#views.behind >= MAX_BEHIND) this.#flush();
    else this.#timer ??= setTimeout(() => this.#wake(), SOON_MS);
  }

  #wake(): void {
    this.#timer = null;
    if (this.#views.behind > 0) this.#flush();
  }

  #write(): void {
    if (performance.now() < this.#notBefore) return;
    try {
      this.#views.flush();
      this.#since = null;
    } catch (error) {
      // Nothing is lost: it is in the log, and whoever waits for the views is told why they cannot be written.
      this.#notBefore = performance.now() + RETRY_MS;
      this.#timer ??= setTimeout(() => this.#wake(), RETRY_MS);
      throw error;
    }
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

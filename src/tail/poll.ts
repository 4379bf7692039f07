/** When the follower looks into the store again: one look at a time, and one failure said once. */
import { guarded } from '../guarded.ts';
import type { Log } from '../log.ts';

/** `behind`: something is there that was not followed; `nobody`: nobody follows. */
export type Urgency = 'behind' | 'followed' | 'nobody' | 'never';

const DELAY_MS = {
  /** How long a hole between local replies may stay open before the store is asked. */
  behind: 50,
  followed: 250,
  nobody: 5_000,
} as const;
const FAILING_MS = 500;

export interface PollOptions {
  log: Log;
  look: () => Promise<void>;
  urgency: () => Urgency;
}

export class Poll {
  readonly #options: PollOptions;
  readonly #turn: () => void;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #failing = false;
  #closed = false;

  constructor(options: PollOptions) {
    this.#options = options;
    this.#turn = guarded(options.log, 'following the log', () => {
      this.#timer = null;
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null;
        this.plan();
      });
      return this.#looking;
    });
  }

  /** Plans the next look, where there is none planned and one is needed. */
  plan(): void {
    if (this.#closed || this.#timer !== null || this.#looking !== null) return;
    const urgency = this.#options.urgency();
    if (urgency === 'never') return;
    this.#timer = setTimeout(this.#turn, this.#failing ? FAILING_MS : DELAY_MS[urgency]);
    this.#timer.unref();
  }

  /** It has become more urgent since the next look was planned. */
  planAnew(): void {
    this.#unplan();
    this.plan();
  }

  close(): void {
    this.#closed = true;
    this.#unplan();
  }

  #unplan(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    const { log, look } = this.#options;
    try {
      await look();
      if (this.#failing) log.info('the log is followed again');
      this.#failing = false;
    } catch (error) {
      // Once for an outage, not at every look into it.
      if (!this.#failing) {
        log.warn({ err: error }, 'the log cannot be followed; trying again until it can');
      }
      this.#failing = true;
    }
  }
}

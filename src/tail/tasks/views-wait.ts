/** One wait for the views to reach some positions, looked at again and again until it is over. */
import type { Signal } from '../../signal.ts';

export class ViewsWait {
  readonly #reach: () => Promise<void>;
  /** Wakes the reader when the wait is over; it may be woken for other reasons too. */
  readonly #reader: Signal;
  #state: 'new' | 'waiting' | 'reached' | { error: unknown } = 'new';

  constructor(reach: () => Promise<void>, reader: Signal) {
    this.#reach = reach;
    this.#reader = reader;
  }

  /**
   * true: reached. false: not within `ms`, or the reader was woken first. Throws what `reach`
   * threw; the next call begins anew then.
   */
  async within(ms: number): Promise<boolean> {
    if (this.#state === 'new') this.#begin();
    if (this.#state === 'waiting') await this.#reader.wait(ms);
    const state = this.#state as 'waiting' | 'reached' | { error: unknown };
    if (typeof state === 'string') return state === 'reached';
    this.#state = 'new';
    throw state.error;
  }

  #begin(): void {
    this.#state = 'waiting';
    const over = (state: 'reached' | { error: unknown }) => {
      this.#state = state;
      this.#reader.wake();
    };
    this.#reach().then(
      () => over('reached'),
      (error: unknown) => over({ error }),
    );
  }
}

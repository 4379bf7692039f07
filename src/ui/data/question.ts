/**
 * A question about something that changes: asked again when there is news of it, and until it is
 * answered where what it failed of passes. One that is on its way is let finish first, since on
 * something busy there would be no answer at all otherwise.
 */
import { AskError } from './ask.ts';
import { passes, waitAfter } from './passing.ts';

interface QuestionOptions<Result> {
  ask: (signal: AbortSignal) => Promise<Result>;
  onAnswer: (result: Result) => void;
  onError: (error: AskError) => void;
  /** Between the beginnings of two. */
  leastMs: number;
}

export class Question<Result> {
  readonly #options: QuestionOptions<Result>;
  readonly #leaving = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  /** There was news since the one that is on its way began. */
  #due = false;
  #notBefore = 0;
  /** In a row. */
  #failures = 0;

  constructor(options: QuestionOptions<Result>) {
    this.#options = options;
  }

  /** There is news; `settleMs`: more of it may come at once. */
  ask(settleMs = 0): void {
    if (this.#asking) {
      this.#due = true;
      return;
    }
    clearTimeout(this.#timer);
    const wait = Math.max(settleMs, this.#notBefore - Date.now());
    this.#timer = setTimeout(() => void this.#ask(), wait);
  }

  /** What it failed of may be over. */
  again(): void {
    this.#notBefore = 0;
    this.ask();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#leaving.abort();
  }

  async #ask(): Promise<void> {
    const { ask, onAnswer, onError, leastMs } = this.#options;
    const { signal } = this.#leaving;
    this.#asking = true;
    this.#due = false;
    this.#notBefore = Date.now() + leastMs;
    try {
      const result = await ask(signal);
      if (signal.aborted) return;
      this.#failures = 0;
      onAnswer(result);
    } catch (problem) {
      if (signal.aborted) return;
      const error =
        problem instanceof AskError ? problem : new AskError('INTERNAL', String(problem));
      if (passes(error)) {
        this.#due = true;
        this.#notBefore = Date.now() + waitAfter(error, ++this.#failures);
      }
      onError(error);
    } finally {
      this.#asking = false;
    }
    if (this.#due) this.ask();
  }
}

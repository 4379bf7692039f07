/**
 * A subscription's results: what its source brings, executed. It never rejects: what ends it is a
 * last result with the errors and without data. That holds for a batch whose execution failed, too:
 * the next cursor would lie behind it, and what it brought would never come again.
 */
import type { ExecutionResult } from 'graphql';
import { PullIterator, type PullSource } from '../../pull-iterator.ts';

export interface ResultStreamOptions {
  source: AsyncIterable<unknown>;
  execute: (event: unknown) => ExecutionResult | Promise<ExecutionResult>;
  failed: (error: unknown) => ExecutionResult;
  onEnd: () => void;
}

/** Without data nothing came of it: of a stream it is the last. */
export function hasData({ data }: ExecutionResult): boolean {
  return data !== undefined && data !== null;
}

export class ResultStream extends PullIterator<ExecutionResult> {
  constructor(options: ResultStreamOptions) {
    super(new Results(options));
  }
}

class Results implements PullSource<ExecutionResult> {
  readonly #options: ResultStreamOptions;
  readonly #source: AsyncIterator<unknown>;
  #isOver = false;

  constructor(options: ResultStreamOptions) {
    this.#options = options;
    this.#source = options.source[Symbol.asyncIterator]();
  }

  async pull(): Promise<ExecutionResult | null> {
    if (this.#isOver) return null;
    try {
      const { done, value } = await this.#source.next();
      if (done === true) return null;
      const result = await this.#options.execute(value);
      // What it held is free now, whether or not the reader asks for more.
      if (!hasData(result)) this.dispose();
      return result;
    } catch (error) {
      this.dispose();
      return this.#options.failed(error);
    }
  }

  /** How the source's own clean-up ends changes nothing for the reader. */
  dispose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd();
    this.#source.return?.().catch(() => {});
  }
}

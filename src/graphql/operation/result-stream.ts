/**
 * A subscription's results. Hand-written, not an async generator: `return()` reaches the source at
 * once, also while `next()` waits, so a socket that goes away leaves nothing behind. It never
 * rejects: what ends it is a last result with the error.
 */
import type { ExecutionResult } from 'graphql';

export class ResultStream implements AsyncIterableIterator<ExecutionResult> {
  readonly #source: AsyncIterator<unknown>;
  readonly #execute: (event: unknown) => ExecutionResult | Promise<ExecutionResult>;
  readonly #failed: (error: unknown) => ExecutionResult;
  readonly #onEnd: () => void;
  #ended = false;

  constructor(
    source: AsyncIterable<unknown>,
    execute: (event: unknown) => ExecutionResult | Promise<ExecutionResult>,
    failed: (error: unknown) => ExecutionResult,
    onEnd: () => void,
  ) {
    this.#source = source[Symbol.asyncIterator]();
    this.#execute = execute;
    this.#failed = failed;
    this.#onEnd = onEnd;
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    try {
      const event = await this.#source.next();
      if (event.done === true || this.#ended) {
        this.#end();
        return { done: true, value: undefined };
      }
      return { done: false, value: await this.#execute(event.value) };
    } catch (error) {
      if (this.#ended) return { done: true, value: undefined };
      this.#end();
      // The source is done for; how its clean-up ends changes nothing for the reader.
      this.#source.return?.().catch(() => {});
      return { done: false, value: this.#failed(error) };
    }
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#end();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  #end(): void {
    this.#ended = true;
    this.#onEnd();
  }

  async throw(error: unknown): Promise<IteratorResult<ExecutionResult, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

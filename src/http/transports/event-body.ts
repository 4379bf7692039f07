/**
 * The body of an event stream. Node's own stream, which the adapter of Yoga's pipes as it is: by way
 * of the web's streams an event costs a quarter more.
 */
import { Readable } from 'node:stream';
import type { ExecutionResult } from 'graphql';
import { every, type GuardLog } from '../../guarded.ts';
import type { EventFrames } from './event-frames.ts';

/** Proxies cut connections that are silent for longer. */
const COMMENT_MS = 12_000;

export class EventBody extends Readable {
  readonly #results: AsyncIterator<ExecutionResult>;
  readonly #frames: EventFrames;
  readonly #lastWords: (error: unknown) => ExecutionResult;
  readonly #comments: NodeJS.Timeout;
  /**
   * A result is being waited for. A comment that is pushed meanwhile makes Node call `_read` again.
   */
  #waiting = false;

  constructor(
    results: AsyncIterable<ExecutionResult>,
    frames: EventFrames,
    /** What a reader is told where the results end with an error. */
    lastWords: (error: unknown) => ExecutionResult,
    log: GuardLog,
  ) {
    super();
    this.#results = results[Symbol.asyncIterator]();
    this.#frames = frames;
    this.#lastWords = lastWords;
    this.push(frames.comment);
    this.#comments = every(COMMENT_MS, log, 'keeping an event stream open', () => {
      if (this.readableLength === 0) this.push(frames.comment);
    });
  }

  override _read(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#results.next().then(this.#send).catch(this.#fail);
  }

  readonly #send = ({ done, value }: IteratorResult<ExecutionResult, unknown>): void => {
    const frame = done === true ? null : this.#frames.of(value);
    this.#waiting = false;
    if (this.destroyed) return;
    if (frame !== null) this.push(frame);
    else this.#end();
  };

  readonly #fail = (error: unknown): void => {
    if (this.destroyed) return;
    this.push(this.#frames.of(this.#lastWords(error)));
    this.#end();
  };

  #end(): void {
    clearInterval(this.#comments);
    this.push(this.#frames.end);
    this.push(null);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#comments);
    this.#results.return?.().catch(() => {});
    done(error);
  }
}

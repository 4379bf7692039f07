/**
 * What arrives of a body, each time all that has arrived meanwhile as one piece. The socket is
 * paused and not the request: a request that is paused goes on to keep each small piece as a
 * thing of its own, at some three hundred bytes for each.
 */
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { Signal } from '../../signal.ts';
import { GrowingBuffer } from './growing-buffer.ts';

/** Bytes that wait to be taken; above it nothing more is read. */
const WAITING_BYTES = 64 * 1_024;

const NO_MORE = { done: true, value: undefined } as const;

export class Arrivals implements AsyncIterableIterator<Buffer, void, undefined> {
  readonly #request: IncomingMessage;
  readonly #limit: number;
  readonly #tooLarge: () => Error;
  readonly #waiting = new GrowingBuffer();
  #total = 0;
  /** Set once nothing more comes, with why where that is no proper end. */
  #over: { error: Error | null } | null = null;
  readonly #news = new Signal();

  /** Above `limit` bytes it rejects with what `tooLarge` makes. */
  constructor(request: IncomingMessage, limit: number, tooLarge: () => Error) {
    this.#request = request;
    this.#limit = limit;
    this.#tooLarge = tooLarge;
    request.on('data', this.#data).on('end', this.#whole);
    request.on('error', this.#end).on('close', this.#cut);
    if (request.readableEnded) this.#end(null);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** One at a time. */
  async next(): Promise<IteratorResult<Buffer, void>> {
    for (;;) {
      if (this.#waiting.length > 0) {
        const value = this.#waiting.take();
        this.#resume();
        return { done: false, value };
      }
      if (this.#over !== null) {
        if (this.#over.error !== null) throw this.#over.error;
        return NO_MORE;
      }
      await this.#news.wait();
      // After all that lies in the socket, or each small piece would be handed on by itself.
      await setImmediate();
    }
  }

  /** Takes no more, and settles a pending `next` at once. */
  async return(): Promise<IteratorResult<Buffer, void>> {
    this.stop();
    return NO_MORE;
  }

  /** What is waited for does not come any more. */
  fail(error: Error): void {
    this.#end(error);
  }

  stop(): void {
    this.#waiting.clear();
    this.#end(null);
    this.#resume();
  }

  readonly #data = (piece: Buffer): void => {
    this.#total += piece.length;
    if (this.#total > this.#limit) {
      this.#end(this.#tooLarge());
      return;
    }
    this.#waiting.add(piece);
    if (this.#waiting.length >= WAITING_BYTES) this.#request.socket.pause();
    this.#news.wake();
  };

  readonly #whole = (): void => this.#end(null);

  readonly #cut = (): void => this.#end(new Error('the connection was closed'));

  readonly #end = (error: Error | null): void => {
    this.#over ??= { error };
    const request = this.#request;
    request.off('data', this.#data).off('end', this.#whole);
    request.off('error', this.#end).off('close', this.#cut);
    this.#news.wake();
  };

  #resume(): void {
    const { socket } = this.#request;
    if (socket.isPaused()) socket.resume();
  }
}

/** A stream of bytes cut into lines, each bounded. */
import { GrowingBuffer } from './growing-buffer.ts';

export interface Line {
  /** From 0, empty lines counted. */
  index: number;
  /** null: longer than the limit; its bytes were passed over. Good until the next one is asked for. */
  bytes: Buffer | null;
}

const NEWLINE = 0x0a;

export class ByteLines {
  readonly #limit: number;
  /** The beginning of the line that is not complete yet. */
  readonly #begun = new GrowingBuffer();
  /** The length of that line so far, including what was passed over. */
  #length = 0;
  #index = 0;

  /** `limit`: bytes of one line, without its end. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What the line that is not whole yet takes of the memory. */
  get heldBytes(): number {
    return this.#begun.heldBytes;
  }

  /** The lines that `chunk` completes. */
  *push(chunk: Buffer): Generator<Line, void, undefined> {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, to));
      yield this.#take();
      from = to + 1;
    }
    // Copied, for a part of a chunk keeps all of it.
    if (from < chunk.length) this.#keep(Buffer.from(chunk.subarray(from)));
  }

  /** The last line, where the stream did not end with a newline. */
  *end(): Generator<Line, void, undefined> {
    if (this.#length > 0) yield this.#take();
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#limit) this.#begun.clear();
    else this.#begun.add(part);
  }

  #take(): Line {
    const bytes = this.#length > this.#limit ? null : this.#begun.take();
    this.#begun.clear();
    this.#length = 0;
    return { index: this.#index++, bytes };
  }
}

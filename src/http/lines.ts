/** A stream of bytes cut into lines, each bounded. */

export interface Line {
  /** From 0, empty lines counted. */
  index: number;
  /** null: longer than the limit; its bytes were passed over. */
  bytes: Buffer | null;
}

const NEWLINE = 0x0a;

export class LineSplitter {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;
  #index = 0;

  /** `limit`: bytes of one line, without its end. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The lines that `chunk` completes. */
  *push(chunk: Buffer): Generator<Line, void, undefined> {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, to));
      yield this.#take();
      from = to + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  /** The last line, where the stream did not end with a newline. */
  *end(): Generator<Line, void, undefined> {
    if (this.#length > 0) yield this.#take();
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#limit) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #take(): Line {
    const bytes = this.#length > this.#limit ? null : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return { index: this.#index++, bytes };
  }
}

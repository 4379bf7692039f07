/** Bytes to text, piece by piece: in the encoding that was told, else by the mark at the beginning. */

export class OutputDecoder {
  #decoder: TextDecoder | null;
  /** A first byte that may be half of a mark. */
  #first: Uint8Array = new Uint8Array();

  /** Throws a RangeError for an encoding that is not known; null: UTF-8, or UTF-16 with its mark. */
  constructor(encoding: string | null) {
    this.#decoder = encoding === null ? null : new TextDecoder(encoding);
  }

  decode(chunk: Uint8Array): string {
    if (this.#decoder !== null) return this.#decoder.decode(chunk, { stream: true });
    const bytes = this.#first.length === 0 ? chunk : Buffer.concat([this.#first, chunk]);
    this.#first = new Uint8Array();
    const isHalf = bytes.length === 1 && (bytes[0] === 0xff || bytes[0] === 0xfe);
    if (bytes.length === 0 || isHalf) {
      this.#first = bytes.slice();
      return '';
    }
    this.#decoder = new TextDecoder(encodingOf(bytes));
    return this.#decoder.decode(bytes, { stream: true });
  }

  /** The rest, where the last character is not whole. */
  end(): string {
    const decoder = this.#decoder ?? new TextDecoder();
    return decoder.decode(this.#first, { stream: true }) + decoder.decode();
  }
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

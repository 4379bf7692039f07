/** Reading and writing of small packed records. Numbers are unsigned, up to 2^53 - 1. */

export class ByteWriter {
  readonly #bytes: number[] = [];

  byte(value: number): void {
    this.#bytes.push(value);
  }

  bytes(values: Uint8Array): void {
    for (const value of values) this.#bytes.push(value);
  }

  /** Seven bits a byte, the lowest first; by division, for shifts know only 32 bits. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes.push((rest % 0x80) + 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes.push(rest);
  }

  /** `length` bytes, the lowest first. */
  fixed(value: number, length: number): void {
    let rest = value;
    for (let at = 0; at < length; at++) {
      this.#bytes.push(rest % 0x100);
      rest = Math.floor(rest / 0x100);
    }
  }

  text(value: string): void {
    const bytes = Buffer.from(value);
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  finish(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

/** Never throws: what cannot be read sets `failed`, and everything after it is 0 or empty. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;
  failed = false;

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#at = from;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) this.failed = true;
    return value ?? 0;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; !this.failed; factor *= 0x80) {
      const byte = this.byte();
      value += (byte % 0x80) * factor;
      if (byte < 0x80) break;
      if (factor > 2 ** 49) this.failed = true;
    }
    if (value > Number.MAX_SAFE_INTEGER) this.failed = true;
    return this.failed ? 0 : value;
  }

  fixed(length: number): number {
    let value = 0;
    for (let at = 0; at < length; at++) value += this.byte() * 0x100 ** at;
    return this.failed ? 0 : value;
  }

  text(): string {
    const length = this.varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) this.failed = true;
    if (this.failed) return '';
    const text = Buffer.from(this.#bytes.subarray(this.#at, end)).toString();
    this.#at = end;
    return text;
  }
}

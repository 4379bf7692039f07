/**
 * Protocol Buffers as they are on the wire, read in place. Written here because no maintained
 * package decodes requests of OTLP, and a general library would decode whole messages at a time:
 * this one skips what nobody asks for, and a body is read while its beginning is stored.
 */
import { ExactNumber } from '../../domain/event/exact-number.ts';

export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** One message: a row of fields, each asked for by its number and then read or skipped. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** The number of the field that `next` found. */
  field = 0;
  wire = 0;

  constructor(bytes: Buffer, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  /** Whether there is another field: its number and kind are known then. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field === 0) throw this.#damaged('a field has the number 0');
    return true;
  }

  /** Passes over the field, whatever it is. */
  skip(): void {
    switch (this.wire) {
      case WIRE.varint:
        this.#varint();
        return;
      case WIRE.fixed64:
        this.#move(8);
        return;
      case WIRE.bytes:
        this.#move(this.#varint());
        return;
      case WIRE.fixed32:
        this.#move(4);
        return;
      default:
        throw this.#damaged(`there is no wire type ${this.wire}`);
    }
  }

  /** Whether the field is of that kind; another one is passed over, as an unknown field is. */
  is(wire: number): boolean {
    if (this.wire === wire) return true;
    this.skip();
    return false;
  }

  /** A whole number up to 2^53; what is larger is rounded. */
  number(): number {
    return this.#varint();
  }

  /** A signed 64-bit number, exact. */
  int64(): number | ExactNumber {
    const start = this.#at;
    const rounded = this.#varint();
    // Ten bytes: it is negative.
    if (rounded <= Number.MAX_SAFE_INTEGER) return rounded;
    let value = 0n;
    for (let at = this.#at - 1; at >= start; at--) {
      value = (value << 7n) | BigInt((this.#bytes[at] as number) & 0x7f);
    }
    const signed = BigInt.asIntN(64, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : new ExactNumber(String(signed));
  }

  fixed64(): bigint {
    const from = this.#move(8);
    return this.#bytes.readBigUInt64LE(from);
  }

  double(): number {
    const from = this.#move(8);
    return this.#bytes.readDoubleLE(from);
  }

  /** What is not UTF-8 is replaced by U+FFFD. */
  text(): string {
    const length = this.#varint();
    const from = this.#move(length);
    return this.#bytes.toString('utf8', from, from + length);
  }

  bytes(encoding: 'hex' | 'base64'): string {
    const length = this.#varint();
    const from = this.#move(length);
    return this.#bytes.toString(encoding, from, from + length);
  }

  message(): ProtobufReader {
    const length = this.#varint();
    const from = this.#move(length);
    return new ProtobufReader(this.#bytes, from, from + length);
  }

  /** The same message from where this reader is. */
  again(): ProtobufReader {
    return new ProtobufReader(this.#bytes, this.#at, this.#end);
  }

  /** Moves over `length` bytes; where they begin. */
  #move(length: number): number {
    const from = this.#at;
    if (length > this.#end - from) throw this.#damaged('it ends too early');
    this.#at = from + length;
    return from;
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.#end) throw this.#damaged('it ends too early');
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw this.#damaged('a number is longer than ten bytes');
  }

  #damaged(reason: string): ProtobufError {
    return new ProtobufError(
      `The body is no ExportLogsServiceRequest: at byte ${this.#at} ${reason}`,
    );
  }
}

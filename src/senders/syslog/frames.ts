/**
 * A connection's bytes cut into messages, by whichever framing its sender has (RFC 6587): counted
 * (`126 <132>1 …`), or ended by a newline, or by NUL, with newlines inside. Nothing announces it,
 * so each message's beginning is looked at, and the first NUL.
 */
import { GrowingBuffer } from '../../http/body/growing-buffer.ts';

/** More is passed over: a message holds 65,536 characters, of three bytes at most in most scripts. */
export const MAX_FRAME_BYTES = 192 * 1_024;
/** Digits of a count: ten megabytes less one. */
const MAX_DIGITS = 7;

const LF = 0x0a;
const NUL = 0;
const SPACE = 0x20;
const LESS = '<'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const NINE = '9'.charCodeAt(0);

type State = 'start' | 'count' | 'counted' | 'delimited';

export class FrameSplitter {
  readonly #begun = new GrowingBuffer();
  #state: State = 'start';
  /** What was read of a count, with the space behind it. */
  #count = '';
  /** Bytes that are missing of a counted message. */
  #missing = 0;
  #endsWithNul = false;
  #lines = 0;

  /** The messages that `chunk` completes, without what ends them; none is empty. */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'start':
          at = this.#start(chunk, at);
          break;
        case 'count':
          this.#readCount(chunk[at] as number);
          // The first byte of a message is not part of its count.
          if (this.#state === 'count') at++;
          break;
        case 'counted': {
          const to = Math.min(chunk.length, at + this.#missing);
          this.#keep(chunk.subarray(at, to));
          this.#missing -= to - at;
          at = to;
          if (this.#missing === 0) yield* this.#take();
          break;
        }
        case 'delimited': {
          const to = this.#endOf(chunk, at);
          this.#keep(chunk.subarray(at, to === -1 ? chunk.length : to));
          at = to === -1 ? chunk.length : to + 1;
          if (to !== -1) {
            this.#lines++;
            yield* this.#take();
          }
        }
      }
    }
  }

  /** What was begun when the sender ended: cut, but said. */
  *end(): Generator<Buffer, void, undefined> {
    if (this.#state === 'count') this.#keep(Buffer.from(this.#count));
    yield* this.#take();
  }

  #start(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && isBetween(chunk[at] as number)) at++;
    if (at === chunk.length) return at;
    this.#count = '';
    const byte = chunk[at] as number;
    this.#state = byte > ZERO && byte <= NINE ? 'count' : 'delimited';
    return at;
  }

  /** `200 OK` is a line: a counted message begins with its priority. */
  #readCount(byte: number): void {
    const isCounted = this.#count.endsWith(' ');
    if (isCounted && byte === LESS) {
      this.#missing = Number(this.#count);
      this.#state = 'counted';
    } else if (!isCounted && this.#count.length < MAX_DIGITS && byte >= ZERO && byte <= NINE) {
      this.#count += String.fromCharCode(byte);
    } else if (!isCounted && byte === SPACE) {
      this.#count += ' ';
    } else {
      this.#keep(Buffer.from(this.#count));
      this.#state = 'delimited';
    }
  }

  /**
   * A NUL ends a message where it is the last byte that came or another message stands behind it;
   * a sender of lines that has one in its text goes on to be read by lines.
   */
  #endOf(chunk: Buffer, from: number): number {
    if (!this.#endsWithNul && this.#lines === 0) {
      const nul = chunk.indexOf(NUL, from);
      this.#endsWithNul = nul !== -1 && (nul === chunk.length - 1 || chunk[nul + 1] === LESS);
    }
    return chunk.indexOf(this.#endsWithNul ? NUL : LF, from);
  }

  #keep(part: Buffer): void {
    const room = MAX_FRAME_BYTES - this.#begun.length;
    // Copied, for a part of a chunk keeps all of it.
    if (room > 0 && part.length > 0) this.#begun.add(Buffer.from(part.subarray(0, room)));
  }

  *#take(): Generator<Buffer, void, undefined> {
    this.#state = 'start';
    let bytes = this.#begun.take();
    // rsyslog counts the newline at the end, too.
    while (bytes.length > 0 && isBetween(bytes[bytes.length - 1] as number)) {
      bytes = bytes.subarray(0, -1);
    }
    if (bytes.length > 0) yield bytes;
  }
}

/** What may stand between messages. */
function isBetween(byte: number): boolean {
  return byte === LF || byte === NUL || byte === 0x0d || byte === SPACE;
}

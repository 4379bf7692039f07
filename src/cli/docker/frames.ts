/**
 * What the Engine API streams of a container's log, as lines. Without a terminal it is frames: a
 * head of eight bytes and `TIMESTAMP text`; with one it is bare lines. Both cut lines into pieces,
 * each with a timestamp of its own, and a chunk of HTTP may end anywhere.
 */
import type { LogStream } from '../../domain/event/event.ts';

export interface LogLine {
  stream: LogStream;
  /** As the engine wrote it: `2026-11-27T01:26:10.583744715Z`. */
  time: string;
  text: string;
}

export interface LineReader {
  push(chunk: Buffer): Generator<LogLine, void, undefined>;
  /** The log has ended: what was begun is a line too. */
  end(): Generator<LogLine, void, undefined>;
}

/** Of one line; the rest of it is passed over. An event holds 65,536 characters. */
const MAX_LINE_BYTES = 192 * 1_024;
/** Engines cut at 16 KiB and 8 KiB: a frame that says to be larger than this is none. */
const MAX_FRAME_BYTES = 1_024 * 1_024;
const HEAD_BYTES = 8;
const LF = 0x0a;
const EMPTY = Buffer.alloc(0);

export function lineReader(tty: boolean): LineReader {
  return tty ? new TerminalReader() : new FrameReader();
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Pieces of one line, bounded. */
class Pieces {
  #parts: Buffer[] = [];
  #bytes = 0;

  get empty(): boolean {
    return this.#parts.length === 0;
  }

  add(bytes: Buffer): void {
    const part = bytes.subarray(0, MAX_LINE_BYTES - this.#bytes);
    this.#bytes += part.length;
    // An empty first piece begins a line, too; many small ones are many no longer than the bound.
    if (part.length > 0 || this.empty) this.#parts.push(Buffer.from(part));
  }

  take(): Buffer {
    const bytes =
      this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return bytes;
  }
}

class FrameReader implements LineReader {
  #rest: Buffer = EMPTY;
  readonly #begun: Record<LogStream, { time: string; pieces: Pieces }> = {
    STDOUT: { time: '', pieces: new Pieces() },
    STDERR: { time: '', pieces: new Pieces() },
  };

  *push(chunk: Buffer): Generator<LogLine, void, undefined> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUInt32BE(at + 4);
      if (length > MAX_FRAME_BYTES || (bytes[at] as number) > 3) {
        throw new Error('the engine sent a log that is neither frames nor lines');
      }
      const end = at + HEAD_BYTES + length;
      if (end > bytes.length) break;
      yield* this.#frame(
        bytes[at] === 2 ? 'STDERR' : 'STDOUT',
        bytes.subarray(at + HEAD_BYTES, end),
      );
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  *end(): Generator<LogLine, void, undefined> {
    for (const stream of ['STDOUT', 'STDERR'] as const) {
      if (!this.#begun[stream].pieces.empty) yield this.#take(stream);
    }
  }

  *#frame(stream: LogStream, payload: Buffer): Generator<LogLine, void, undefined> {
    const begun = this.#begun[stream];
    const { time, text } = stamped(payload);
    if (begun.pieces.empty) begun.time = time;
    const isWhole = text[text.length - 1] === LF;
    begun.pieces.add(isWhole ? text.subarray(0, -1) : text);
    if (isWhole) yield this.#take(stream);
  }

  #take(stream: LogStream): LogLine {
    const { time, pieces } = this.#begun[stream];
    return { stream, time, text: textOf(pieces.take()) };
  }
}

class TerminalReader implements LineReader {
  readonly #begun = new Pieces();

  *push(chunk: Buffer): Generator<LogLine, void, undefined> {
    let from = 0;
    for (let to = chunk.indexOf(LF); to !== -1; to = chunk.indexOf(LF, from)) {
      this.#begun.add(chunk.subarray(from, to));
      yield this.#take();
      from = to + 1;
    }
    if (from < chunk.length) this.#begun.add(chunk.subarray(from));
  }

  *end(): Generator<LogLine, void, undefined> {
    if (!this.#begun.empty) yield this.#take();
  }

  #take(): LogLine {
    const { time, text } = stamped(this.#begun.take());
    return { stream: 'STDOUT', time, text: textOf(withoutInnerStamps(text, time)) };
  }
}

/** A terminal's lines end with a return. */
function textOf(bytes: Buffer): string {
  const text = decoder.decode(bytes);
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) /;

/** `time` is empty where there is none. */
function stamped(bytes: Buffer): { time: string; text: Buffer } {
  const head = bytes.subarray(0, 40).toString('latin1');
  const stamp = STAMP.exec(head);
  if (stamp === null) return { time: '', text: bytes };
  return { time: stamp[1] as string, text: bytes.subarray(stamp[0].length) };
}

const PIECE_BYTES = 8_192;

/** Between two pieces of a terminal's line there is nothing but the second one's timestamp. */
function withoutInnerStamps(text: Buffer, time: string): Buffer {
  if (text.length <= PIECE_BYTES) return text;
  const stamp = Buffer.from(`${time} `);
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = PIECE_BYTES; at < text.length; at += PIECE_BYTES) {
    if (!text.subarray(at, at + stamp.length).equals(stamp)) continue;
    parts.push(text.subarray(from, at));
    from = at + stamp.length;
    at = from;
  }
  return Buffer.concat([...parts, text.subarray(from)]);
}

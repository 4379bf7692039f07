/**
 * From the chunks of a stream to log lines. A line that was overwritten by carriage returns (a
 * progress bar) is its last segment; NULs and broken UTF-8 become U+FFFD; a line that is too long
 * is split. What is held back is bounded by the length of one line.
 */
import { LIMITS } from '../../domain/limits.ts';

export class LineSplitter {
  readonly #decoder = new TextDecoder('utf-8');
  readonly #onLine: (line: string) => void;
  readonly #longest: number;
  #rest = '';

  /** longest: in UTF-16 units. */
  constructor(onLine: (line: string) => void, longest: number = LIMITS.message) {
    this.#onLine = onLine;
    this.#longest = longest;
  }

  push(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    this.#take(this.#decoder.decode());
    if (this.#rest !== '') this.#emit(this.#rest);
    this.#rest = '';
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#emit(line);
    this.#bound();
  }

  /** The unfinished line: keeps what a terminal would show, and hands on what is too long. */
  #bound(): void {
    // A return at the very end may be the first half of a line's end.
    const overwritten = this.#rest.lastIndexOf('\r', this.#rest.length - 2);
    if (overwritten >= 0) this.#rest = this.#rest.slice(overwritten + 1);
    while (this.#rest.length > this.#longest) {
      const end = pieceEnd(this.#rest, this.#longest);
      this.#onLine(this.#rest.slice(0, end).replaceAll('\0', '\ufffd'));
      this.#rest = this.#rest.slice(end);
    }
  }

  #emit(raw: string): void {
    let line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    line = line.slice(line.lastIndexOf('\r') + 1).replaceAll('\0', '\ufffd');
    while (line.length > this.#longest) {
      const end = pieceEnd(line, this.#longest);
      this.#onLine(line.slice(0, end));
      line = line.slice(end);
    }
    this.#onLine(line);
  }
}

/** Not between the halves of a surrogate pair. */
function pieceEnd(text: string, longest: number): number {
  const last = text.charCodeAt(longest - 1);
  return last >= 0xd800 && last <= 0xdbff ? longest - 1 : longest;
}

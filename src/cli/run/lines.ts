/**
 * From the chunks of a stream to log lines. A line that was overwritten by carriage returns (a
 * progress bar) is its last text; NULs and what cannot be decoded become U+FFFD; a line that is
 * too long is split. What is held back is bounded by the length of one line, and by time: an
 * unfinished line that stands still (a question, most likely) is shown, and so is, now and then,
 * what a progress bar says.
 */
import { LIMITS } from '../../domain/event/limits.ts';
import { OutputDecoder } from './decoder.ts';

export interface LineOptions {
  /** A name of the Encoding Standard; null: UTF-8, or UTF-16 where the output begins with its mark. */
  encoding?: string | null;
  /** In UTF-16 units. */
  longest?: number;
  /** Unfinished text that nothing was added to for so long is a line. */
  stillMs?: number;
  /** Between two texts of the same progress bar. */
  barMs?: number;
}

/** Longer than programs take between the pieces of a line. */
const STILL_MS = 1_000;
const BAR_MS = 5_000;

export class TextLines {
  readonly #decoder: OutputDecoder;
  readonly #onLine: (line: string) => void;
  readonly #longest: number;
  readonly #stillMs: number;
  readonly #barMs: number;
  /** Of the line that is not finished: what was not handed on. */
  #rest = '';
  /** Some of the unfinished line was handed on: its end alone is no line. */
  #begun = false;
  /** The unfinished line overwrites itself, and this is what was last shown of it. */
  #bar: { shown: string | null } | null = null;
  #timer: NodeJS.Timeout | undefined;
  #barTimer: NodeJS.Timeout | undefined;

  constructor(onLine: (line: string) => void, options: LineOptions = {}) {
    this.#decoder = new OutputDecoder(options.encoding ?? null);
    this.#onLine = onLine;
    this.#longest = options.longest ?? LIMITS.message;
    this.#stillMs = options.stillMs ?? STILL_MS;
    this.#barMs = options.barMs ?? BAR_MS;
  }

  push(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk));
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    this.#take(this.#decoder.end());
    if (shownOf(this.#rest) !== '') this.#finish();
    this.#rest = '';
    clearTimeout(this.#timer);
    clearTimeout(this.#barTimer);
  }

  #take(text: string): void {
    if (text === '') return;
    const lines = (this.#rest + text).split('\n');
    const unfinished = lines.pop() as string;
    for (const line of lines) {
      this.#rest = line;
      this.#finish();
    }
    this.#rest = unfinished;
    this.#bound();
    this.#watch();
  }

  /** The line has ended. */
  #finish(): void {
    const text = shownOf(this.#rest);
    const isShown =
      text === '' ? this.#begun || this.#bar?.shown != null : text === this.#bar?.shown;
    if (!isShown) this.#emit(text);
    this.#rest = '';
    this.#begun = false;
    this.#bar = null;
    clearTimeout(this.#barTimer);
    this.#barTimer = undefined;
  }

  /** The unfinished line: keeps what a terminal would show, and hands on what is too long. */
  #bound(): void {
    // Returns at the very end may belong to the line's end.
    const text = withoutReturns(this.#rest);
    const isReturned = text.length < this.#rest.length;
    const overwritten = text.lastIndexOf('\r');
    if (overwritten >= 0) this.#bar ??= { shown: null };
    this.#rest = text.slice(overwritten + 1) + (isReturned ? '\r' : '');
    while (this.#rest.length > this.#longest) {
      const end = pieceEnd(this.#rest, this.#longest);
      this.#emit(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end);
      this.#begun = true;
    }
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (shownOf(this.#rest).trim() === '') return;
    if (this.#bar === null) this.#timer = setTimeout(() => this.#showRest(), this.#stillMs).unref();
    else this.#barTimer ??= setTimeout(() => this.#showBar(), this.#barMs).unref();
  }

  #showRest(): void {
    const text = shownOf(this.#rest);
    if (this.#rest.endsWith('\r')) {
      // It may be overwritten yet.
      this.#bar = { shown: text };
    } else {
      this.#rest = '';
      this.#begun = true;
    }
    this.#emit(text);
  }

  #showBar(): void {
    this.#barTimer = undefined;
    const text = shownOf(this.#rest);
    if (this.#bar === null || text.trim() === '' || text === this.#bar.shown) return;
    this.#bar.shown = text;
    this.#emit(text);
  }

  #emit(text: string): void {
    let line = text.replaceAll('\0', '\ufffd');
    while (line.length > this.#longest) {
      const end = pieceEnd(line, this.#longest);
      this.#onLine(line.slice(0, end));
      line = line.slice(end);
    }
    this.#onLine(line);
  }
}

/** What a terminal shows of a line, however many returns stand before its end. */
function shownOf(raw: string): string {
  const line = withoutReturns(raw);
  return line.slice(line.lastIndexOf('\r') + 1);
}

function withoutReturns(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '\r') end--;
  return text.slice(0, end);
}

/** Not between the halves of a surrogate pair. */
function pieceEnd(text: string, longest: number): number {
  const last = text.charCodeAt(longest - 1);
  return last >= 0xd800 && last <= 0xdbff ? longest - 1 : longest;
}

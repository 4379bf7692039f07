/**
 * What comes to a log: as lines while its end is shown, else only how many. It is told once a frame,
 * however fast it comes, since drawing it for each batch would leave no time to scroll.
 */
import { type AskError, ask } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import {
  type EventFilter,
  LogNewsDocument,
  LogNowDocument,
  LogTailDocument,
} from '../gen/graphql.ts';
import type { Line } from './line.ts';

/** A hidden tab has no frames: that many are told without one, so that they do not heap up. */
const GATHERED_MAX = 2_000;

interface LogTailOptions {
  onLines: (lines: readonly Line[]) => void;
  /** Also for lines that had come, but were not told as such, when the end was left. */
  onNews: (count: number) => void;
  onError: (error: AskError) => void;
}

export class LogTail {
  readonly #filter: EventFilter;
  readonly #options: LogTailOptions;
  #stop: () => void = () => {};
  #state: 'idle' | 'lines' | 'news' | 'closed' = 'idle';
  /** What it did before it failed. */
  #failed: 'lines' | 'news' | null = null;
  /** Of what was asked last: an answer that comes when something else goes on is for nobody. */
  #asked = 0;
  /** Behind what was delivered. */
  #cursor: string | null = null;
  /** Since the frame before. */
  #lines: Line[] = [];
  #news = 0;
  #frame: number | null = null;

  constructor(filter: EventFilter, options: LogTailOptions) {
    this.#filter = filter;
    this.#options = options;
  }

  /** All lines behind this cursor, which is that of the last page. */
  follow(after: string): void {
    if (this.#state === 'closed') return;
    this.#begin('lines');
    this.#forget();
    this.#cursor = after;
    this.#stop = follow({
      document: LogTailDocument,
      variables: { filter: this.#filter, after },
      cursorOf: ({ tail }) => tail.cursor,
      onResult: ({ tail }) => {
        this.#cursor = tail.cursor;
        const gap = tail.gap !== null;
        for (const [at, event] of tail.events.entries()) {
          this.#lines.push({ event, cursor: null, afterGap: gap && at === 0 });
        }
        this.#tellSoon();
      },
      onError: (error) => this.#fail(error),
    });
  }

  /** Once more, behind what came, after it failed. */
  again(): void {
    if (this.#state !== 'idle' || this.#failed === null) return;
    if (this.#failed === 'lines' && this.#cursor !== null) this.follow(this.#cursor);
    else this.count();
  }

  #begin(state: 'lines' | 'news'): void {
    this.#stop();
    this.#stop = () => {};
    this.#state = state;
    this.#asked++;
  }

  #fail(error: AskError): void {
    if (this.#state !== 'lines' && this.#state !== 'news') return;
    this.#failed = this.#state;
    this.#state = 'idle';
    // What it pointed at is gone: from now on, then.
    if (error.code === 'CURSOR_EXPIRED') this.#cursor = null;
    this.#tell();
    // Whoever was told may have had it begin anew.
    if (this.#state === 'idle') this.#options.onError(error);
  }

  /** From now on, or from where lines were followed until now, only how many there are. */
  count(): void {
    if (this.#state === 'news' || this.#state === 'closed') return;
    this.#begin('news');
    this.#news += this.#lines.length;
    this.#lines = [];
    if (this.#cursor !== null) {
      this.#countFrom(this.#cursor);
      return;
    }
    const asked = this.#asked;
    ask(LogNowDocument, { filter: this.#filter }).then(
      ({ events }) => {
        if (asked === this.#asked) this.#countFrom(events.tailCursor);
      },
      (error: AskError) => {
        if (asked === this.#asked) this.#fail(error);
      },
    );
  }

  #countFrom(after: string): void {
    this.#stop = follow({
      document: LogNewsDocument,
      variables: { filter: this.#filter, after },
      cursorOf: ({ tail }) => tail.cursor,
      onResult: ({ tail }) => {
        this.#cursor = tail.cursor;
        this.#news += tail.events.length;
        this.#tellSoon();
      },
      onError: (error) => this.#fail(error),
    });
  }

  #tellSoon(): void {
    if (this.#lines.length >= GATHERED_MAX) this.#tell();
    else this.#frame ??= requestAnimationFrame(() => this.#tell());
  }

  #tell(): void {
    const [lines, news] = [this.#lines, this.#news];
    this.#forget();
    if (lines.length > 0) this.#options.onLines(lines);
    if (news > 0) this.#options.onNews(news);
  }

  #forget(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#lines = [];
    this.#news = 0;
  }

  close(): void {
    this.#state = 'closed';
    this.#asked++;
    this.#stop();
    this.#forget();
  }
}

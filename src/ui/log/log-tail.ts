/** What comes to a log: as lines while its end is shown, else only how many. */
import { type AskError, ask } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import {
  type EventFilter,
  LogNewsDocument,
  LogNowDocument,
  LogTailDocument,
} from '../gen/graphql.ts';
import type { Line } from './line.ts';

interface LogTailOptions {
  onLines: (lines: readonly Line[]) => void;
  onNews: (count: number) => void;
  onError: (error: AskError) => void;
}

export class LogTail {
  readonly #filter: EventFilter;
  readonly #options: LogTailOptions;
  #stop: () => void = () => {};
  #state: 'idle' | 'lines' | 'news' | 'closed' = 'idle';
  /** Behind what was delivered. */
  #cursor: string | null = null;

  constructor(filter: EventFilter, options: LogTailOptions) {
    this.#filter = filter;
    this.#options = options;
  }

  /** All lines behind this cursor, which is that of the last page. */
  follow(after: string): void {
    if (this.#state === 'closed') return;
    this.#stop();
    this.#state = 'lines';
    this.#cursor = after;
    this.#stop = follow({
      document: LogTailDocument,
      variables: { filter: this.#filter, after },
      cursorOf: ({ tail }) => tail.cursor,
      onResult: ({ tail }) => {
        this.#cursor = tail.cursor;
        const gap = tail.gap !== null;
        const lines = tail.events.map((event, at) => ({
          event,
          cursor: null,
          afterGap: gap && at === 0,
        }));
        if (lines.length > 0) this.#options.onLines(lines);
      },
      onError: this.#options.onError,
    });
  }

  /** From now on, or from where lines were followed until now, only how many there are. */
  count(): void {
    if (this.#state === 'news' || this.#state === 'closed') return;
    this.#stop();
    this.#state = 'news';
    if (this.#cursor !== null) {
      this.#countFrom(this.#cursor);
      return;
    }
    ask(LogNowDocument, { filter: this.#filter }).then(
      ({ events }) => {
        if (this.#state === 'news') this.#countFrom(events.tailCursor);
      },
      (error: AskError) => {
        if (this.#state === 'news') this.#options.onError(error);
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
        if (tail.events.length > 0) this.#options.onNews(tail.events.length);
      },
      onError: this.#options.onError,
    });
  }

  close(): void {
    this.#state = 'closed';
    this.#stop();
  }
}

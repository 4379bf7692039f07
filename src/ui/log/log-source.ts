/**
 * The lines of one log, of which any number are stored and some thousands are here: a window without
 * holes that grows at either end, moves to wherever somebody jumps, and takes what is new while it
 * stands at the end.
 */
import { type AskError, ask } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import {
  type EventFilter,
  type LogLineFragment,
  LogPageDocument,
  type LogPageQueryVariables,
  LogSpreadDocument,
  LogTailDocument,
} from '../gen/graphql.ts';

export interface Line {
  event: LogLineFragment;
  /** null: it came live; `cursorOf` asks for it. */
  cursor: string | null;
  /** Events before it are gone: said instead of silence. */
  afterGap: boolean;
}

export interface LogState {
  lines: readonly Line[];
  /** How many lines are before the first of `lines`, and in all: estimated until an end is seen. */
  before: number;
  total: number;
  atStart: boolean;
  atEnd: boolean;
  /** Came while the window stood elsewhere. */
  unseen: number;
  loading: boolean;
  error: AskError | null;
}

const PAGE = 400;
/** Lines that are kept; what is far from where one looks is asked for again. */
const WINDOW = 20_000;

type Place = Pick<LogPageQueryVariables, 'first' | 'last' | 'after' | 'before' | 'around'>;

export class LogSource {
  readonly #filter: EventFilter;
  readonly #changed: (state: LogState) => void;
  readonly #leaving = new AbortController();
  #state: LogState = {
    lines: [],
    before: 0,
    total: 0,
    atStart: false,
    atEnd: false,
    unseen: 0,
    loading: true,
    error: null,
  };
  #first: string | null = null;
  #last: string | null = null;
  #stopTail: (() => void) | null = null;
  #asking = false;

  constructor(filter: EventFilter, changed: (state: LogState) => void) {
    this.#filter = filter;
    this.#changed = changed;
  }

  get state(): LogState {
    return this.#state;
  }

  close(): void {
    this.#leaving.abort();
    this.#stopTail?.();
  }

  toEnd(): Promise<void> {
    return this.#replace({ last: PAGE }, null);
  }

  toStart(): Promise<void> {
    return this.#replace({ first: PAGE }, 0);
  }

  /** Resolves to the index in `lines` of the event with this cursor; -1: it is not among them. */
  async toCursor(cursor: string): Promise<number> {
    const known = this.#state.lines.findIndex((line) => line.cursor === cursor);
    if (known >= 0) return known;
    await this.#replace({ around: cursor, first: PAGE }, null);
    return this.#state.lines.findIndex((line) => line.cursor === cursor);
  }

  /** To about this share of the log, 0 to 1, by when its lines were written. */
  async toShare(share: number): Promise<void> {
    const spread = await this.#spread();
    if (spread === null) return;
    const { buckets, total } = spread;
    const wanted = Math.floor(share * total);
    let before = 0;
    for (const bucket of buckets) {
      if (before + bucket.total > wanted || bucket === buckets.at(-1)) {
        const page = await this.#page({ first: PAGE }, { from: bucket.at });
        if (page !== null) this.#show(page, before, total);
        return;
      }
      before += bucket.total;
    }
  }

  async older(): Promise<void> {
    if (this.#state.atStart || this.#first === null) return;
    await this.#extend({ last: PAGE, before: this.#first }, true);
  }

  async newer(): Promise<void> {
    if (this.#state.atEnd || this.#last === null) return;
    await this.#extend({ first: PAGE, after: this.#last }, false);
  }

  /** Of a line that came live. */
  async cursorOf(line: Line): Promise<string | null> {
    if (line.cursor !== null) return line.cursor;
    const { at, id } = line.event;
    const to = new Date(Date.parse(at) + 1).toISOString();
    const page = await this.#page({ first: 1_000 }, { from: at, to });
    return page?.edges.find(({ node }) => node.id === id)?.cursor ?? null;
  }

  async #replace(place: Place, before: number | null): Promise<void> {
    this.#set({ loading: true });
    const [page, spread] = await Promise.all([this.#page(place), this.#spread()]);
    if (page === null) return;
    const total = Math.max(spread?.total ?? 0, page.edges.length);
    const guess = page.pageInfo.hasNextPage
      ? linesBefore(spread, page.edges[0]?.node.at)
      : total - page.edges.length;
    this.#show(page, before ?? guess, total);
  }

  #show(page: Page, before: number, total: number): void {
    const { hasNextPage, hasPreviousPage } = page.pageInfo;
    this.#ends(page, true, true);
    this.#set({
      lines: page.edges.map(asLine),
      before: hasPreviousPage ? Math.max(before, 1) : 0,
      total:
        hasPreviousPage || hasNextPage
          ? Math.max(total, before + page.edges.length)
          : page.edges.length,
      atStart: !hasPreviousPage,
      atEnd: !hasNextPage,
      unseen: 0,
      loading: false,
      error: null,
    });
    if (this.#stopTail === null) this.#tail(page.tailCursor);
  }

  async #extend(place: Place, backward: boolean): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const page = await this.#page(place);
    this.#asking = false;
    if (page === null) return;
    const { lines, before, total } = this.#state;
    const more = page.edges.map(asLine);
    this.#ends(page, backward, !backward);
    if (backward) {
      const atStart = !page.pageInfo.hasPreviousPage;
      const kept = [...more, ...lines].slice(0, WINDOW);
      const cut = kept.length < more.length + lines.length;
      if (cut) this.#last = kept.at(-1)?.cursor ?? this.#last;
      const left = atStart ? 0 : Math.max(1, before - more.length);
      this.#set({
        lines: kept,
        before: left,
        total: total + left - Math.max(0, before - more.length),
        atStart,
        atEnd: this.#state.atEnd && !cut,
      });
      return;
    }
    const kept = [...lines, ...more].slice(-WINDOW);
    const dropped = lines.length + more.length - kept.length;
    if (dropped > 0) this.#first = kept[0]?.cursor ?? this.#first;
    const atEnd = !page.pageInfo.hasNextPage;
    const shown = before + dropped + kept.length;
    this.#set({
      lines: kept,
      before: before + dropped,
      total: atEnd ? shown : Math.max(total, shown + 1),
      atStart: this.#state.atStart && dropped === 0,
      atEnd,
      unseen: atEnd ? 0 : this.#state.unseen,
    });
  }

  #tail(after: string): void {
    this.#stopTail = follow({
      document: LogTailDocument,
      variables: { filter: this.#filter, after },
      cursorOf: ({ tail }) => tail.cursor,
      onResult: ({ tail }) => this.#take(tail.events, tail.gap !== null),
      onError: (error) => this.#set({ error }),
    });
  }

  #take(events: readonly LogLineFragment[], gap: boolean): void {
    if (events.length === 0) return;
    const { atEnd, lines, before, total, unseen } = this.#state;
    if (!atEnd) {
      this.#set({ total: total + events.length, unseen: unseen + events.length });
      return;
    }
    // What a page has shown may come again at the seam of page and tail only once.
    const more = events.map((event, at) => ({ event, cursor: null, afterGap: gap && at === 0 }));
    const kept = [...lines, ...more].slice(-WINDOW);
    const dropped = lines.length + more.length - kept.length;
    this.#set({
      lines: kept,
      before: before + dropped,
      total: before + dropped + kept.length,
      atStart: this.#state.atStart && dropped === 0,
    });
    if (dropped > 0) this.#first = kept.find(({ cursor }) => cursor !== null)?.cursor ?? null;
  }

  #ends(page: Page, first: boolean, last: boolean): void {
    const { startCursor, endCursor } = page.pageInfo;
    if (first) this.#first = startCursor ?? this.#first;
    if (last) this.#last = endCursor ?? this.#last;
  }

  async #page(place: Place, range: Pick<EventFilter, 'from' | 'to'> = {}): Promise<Page | null> {
    try {
      const variables = { filter: { ...this.#filter, ...range }, ...place };
      const { events } = await ask(LogPageDocument, variables, this.#leaving.signal);
      return events;
    } catch (error) {
      this.#failed(error as AskError);
      return null;
    }
  }

  async #spread(): Promise<Spread | null> {
    try {
      const variables = { filter: this.#filter };
      const { eventHistogram } = await ask(LogSpreadDocument, variables, this.#leaving.signal);
      return eventHistogram;
    } catch (error) {
      this.#failed(error as AskError);
      return null;
    }
  }

  #failed(error: AskError): void {
    if (!this.#leaving.signal.aborted) this.#set({ error, loading: false });
  }

  #set(changes: Partial<LogState>): void {
    if (this.#leaving.signal.aborted) return;
    this.#state = { ...this.#state, ...changes };
    this.#changed(this.#state);
  }
}

interface Page {
  edges: readonly { cursor: string; node: LogLineFragment }[];
  pageInfo: {
    hasPreviousPage: boolean;
    hasNextPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  tailCursor: string;
}

interface Spread {
  total: number;
  buckets: readonly { at: string; total: number }[];
}

function asLine({ cursor, node }: Page['edges'][number]): Line {
  return { event: node, cursor, afterGap: false };
}

function linesBefore(spread: Spread | null, at: string | undefined): number {
  if (spread === null || at === undefined) return 0;
  const moment = Date.parse(at);
  return spread.buckets
    .filter((bucket) => Date.parse(bucket.at) < moment)
    .reduce((sum, { total }) => sum + total, 0);
}

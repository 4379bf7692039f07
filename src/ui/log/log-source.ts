/**
 * The lines of one log, of which any number are stored and some thousands are here: a window without
 * holes that grows at either end, moves to wherever somebody jumps, and takes what is new while it
 * stands at the end.
 */
import { again } from '../data/again.ts';
import { AskError } from '../data/ask.ts';
import type { EventFilter } from '../gen/graphql.ts';
import { type Line, type LogPage, linesOf } from './line.ts';
import { withLive, withNewer, withOlder } from './log-growth.ts';
import { LogPages } from './log-pages.ts';
import { LogSpread } from './log-spread.ts';
import { type AskedAt, type LogState, NOTHING_KNOWN } from './log-state.ts';
import { LogTail } from './log-tail.ts';

const PAGE = 400;
/** Those of all logs are counted as one, so that none is taken for another log's. */
let moves = 0;

export class LogSource {
  readonly #changed: (state: LogState) => void;
  readonly #leaving = new AbortController();
  readonly #pages: LogPages;
  readonly #spread: LogSpread;
  readonly #tail: LogTail;
  readonly #stopAgain: () => void;
  #state: LogState = NOTHING_KNOWN;
  #extending = false;
  /** What was asked for before the latest move no longer matters. */
  #latest = 0;
  /** What failed, to be done once more. */
  #retries: (() => Promise<unknown>)[] = [];
  /**
   * Somebody reads here: what comes must not push out what is read, so that a full window takes no
   * more of it.
   */
  isRead = false;
  /** The last line that was counted, where it was not told yet. */
  #awaited: string | null = null;

  constructor(filter: EventFilter, changed: (state: LogState) => void) {
    this.#changed = changed;
    this.#pages = new LogPages(filter, this.#leaving.signal);
    this.#spread = new LogSpread(filter, this.#leaving.signal, () => this.#counted());
    this.#tail = new LogTail(filter, {
      onLines: (lines) => this.#append(lines),
      onNews: (count) => this.#news(count),
      onError: (error) => this.#failed(error, () => this.#tailAgain(error)),
    });
    this.#stopAgain = again.listen(() => {
      if (this.#state.error !== null) void this.retry();
    });
  }

  get state(): LogState {
    return this.#state;
  }

  close(): void {
    this.#leaving.abort();
    this.#tail.close();
    this.#stopAgain();
  }

  /** Has it drawn again. */
  touch(): void {
    this.#set({});
  }

  /** What failed, once more. */
  async retry(): Promise<void> {
    const retries = this.#retries;
    this.#retries = [];
    this.#set({ error: null });
    await Promise.all(retries.map((retry) => retry()));
  }

  async #tailAgain({ code }: AskError): Promise<void> {
    // Lines that came behind it are missing here.
    if (code === 'CURSOR_EXPIRED' && this.#state.atEnd) await this.toEnd();
    else this.#tail.again();
  }

  toEnd(): Promise<void> {
    return this.#move(async () => {
      const page = await this.#pages.page({ last: PAGE });
      const known = Math.max(this.#spread.total, this.#state.total);
      return () => this.#show(page, Math.max(0, known - page.edges.length));
    });
  }

  toStart(): Promise<void> {
    return this.#move(async () => {
      const page = await this.#pages.page({ first: PAGE });
      return () => this.#show(page, 0);
    });
  }

  /**
   * Until the line of this cursor is among `lines`. Resolves to its cursor in this log, which is
   * another one where it was found in a list by time; null: it is not in this log.
   */
  async toCursor(cursor: string): Promise<string | null> {
    if (this.#has(cursor)) return cursor;
    await this.#move(async () => {
      const page = await this.#pages.around(cursor, PAGE);
      if (page === null) return () => this.#set({ loading: false });
      return () => this.#show(page, this.#spread.linesBefore(page.edges[0]?.node.at));
    });
    if (this.#has(cursor)) return cursor;
    const id = await this.#pages.idByTime(cursor);
    return this.#state.lines.find(({ event }) => event.id === id)?.cursor ?? null;
  }

  #has(cursor: string): boolean {
    return this.#state.lines.some((line) => line.cursor === cursor);
  }

  /** To the line of about this number, from 0, by when lines were written. */
  async toLine(wanted: number, askedAt: AskedAt): Promise<void> {
    await this.#move(async () => {
      await this.#spread.ask();
      const range = this.#spread.momentOf(wanted);
      const found = range === null ? null : await this.#pages.firstOf(range);
      const place = found === null ? { last: PAGE } : { around: found.cursor, first: PAGE };
      const page = await this.#pages.page(place);
      // Its cursor is one of a list by time: in the log it goes by another one.
      const at = page.edges.findIndex(({ node }) => node.id === found?.node.id);
      if (at >= 0) return () => this.#show(page, Math.max(0, wanted - at), askedAt, -at);
      const { length } = page.edges;
      const before = Math.max(0, this.#spread.total - length);
      return () => this.#show(page, before, askedAt, 1 - length);
    });
  }

  older(): Promise<void> {
    return this.#extend(true);
  }

  newer(): Promise<void> {
    return this.#extend(false);
  }

  /** Also of a line that came live; null: it is no longer stored. */
  async cursorOf(line: Line): Promise<string | null> {
    if (line.cursor !== null) return line.cursor;
    const { id } = line.event;
    const cursor = await this.#pages.cursorOf(line.event);
    const lines = this.#state.lines.map((one) => (one.event.id === id ? { ...one, cursor } : one));
    this.#set({ lines });
    return cursor;
  }

  /** `ask` resolves to what shows the answer. */
  async #move(ask: () => Promise<() => void>): Promise<void> {
    const move = ++moves;
    this.#latest = move;
    this.#set({ loading: true });
    try {
      const show = await ask();
      if (move === this.#latest) show();
    } catch (error) {
      if (move === this.#latest) this.#failed(error, () => this.#move(ask));
    }
  }

  #show(page: LogPage, before: number, askedAt: AskedAt | null = null, first = 0): void {
    const { hasNextPage, hasPreviousPage } = page.pageInfo;
    const { length } = page.edges;
    const left = hasPreviousPage ? Math.max(before, 1) : 0;
    this.#retries = [];
    this.#set({
      lines: linesOf(page),
      before: left,
      total: hasNextPage
        ? Math.max(this.#spread.total, this.#state.total, left + length + 1)
        : left + length,
      move: this.#latest,
      first,
      askedAt,
      atStart: !hasPreviousPage,
      atEnd: !hasNextPage,
      unseen: hasNextPage ? this.#state.unseen : 0,
      loading: false,
      error: null,
    });
    if (hasNextPage) this.#tail.count();
    else this.#tail.follow(page.tailCursor);
    // Of a log that is all here nothing has to be guessed; first the lines, then how many more.
    if (hasNextPage || hasPreviousPage) void this.#spread.ask();
  }

  async #extend(backward: boolean): Promise<void> {
    const { lines, atStart, atEnd, error } = this.#state;
    const edge = backward ? lines[0] : lines.at(-1);
    const over = backward ? atStart : atEnd;
    if (over || edge === undefined || error !== null || this.#extending) return;
    this.#extending = true;
    const move = this.#latest;
    try {
      const cursor = await this.cursorOf(edge);
      if (cursor === null) {
        // Retention removed it, and so all that was before it.
        if (backward) this.#set({ atStart: true });
        else await this.toEnd();
        return;
      }
      const place = backward ? { last: PAGE, before: cursor } : { first: PAGE, after: cursor };
      const page = await this.#pages.page(place);
      if (move !== this.#latest) return;
      const at = backward ? this.#state.lines[0] : this.#state.lines.at(-1);
      // Others came in between: what was asked for is not what is next to the window now.
      if (at?.event.id !== edge.event.id) return;
      if (backward) this.#prepend(page);
      else this.#grow(page);
    } catch (problem) {
      if (move === this.#latest) this.#failed(problem, () => this.#extend(backward));
    } finally {
      this.#extending = false;
    }
  }

  #prepend(page: LogPage): void {
    const { atEnd } = this.#state;
    this.#set(withOlder(this.#state, page));
    // What is at the end was let go.
    if (atEnd && !this.#state.atEnd) this.#tail.count();
  }

  #grow(page: LogPage): void {
    this.#set(withNewer(this.#state, page));
    if (this.#state.atEnd) this.#tail.follow(page.tailCursor);
  }

  /** New lines at the end of the window. */
  #append(more: readonly Line[]): void {
    this.#set(withLive(this.#state, more, this.isRead));
    if (!this.#state.atEnd) this.#tail.count();
    else if (more.some(({ event }) => event.id === this.#awaited)) this.#numberFrom();
  }

  /** New lines somewhere behind the window. */
  #news(count: number): void {
    const { total, unseen } = this.#state;
    this.#set({ total: total + count, unseen: unseen + count });
  }

  /** It is known now how many lines there are up to one of them. */
  #counted(): void {
    const { total, atEnd, atStart, loading } = this.#state;
    if (!atEnd) this.#set({ total: Math.max(total, this.#spread.total) });
    else if (!loading && !atStart) this.#numberFrom();
  }

  /** Lines that came since it was counted, or are still on their way, are not in the count. */
  #numberFrom(): void {
    const { lines, before } = this.#state;
    const { total = 0, lastId = null } = this.#spread.counted ?? {};
    const last = lines.findLastIndex(({ event }) => event.id === lastId);
    this.#awaited = last < 0 ? lastId : null;
    const left = last < 0 ? Math.max(before, total - lines.length) : total - last - 1;
    this.#set({ before: Math.max(1, left), total: Math.max(1, left) + lines.length });
  }

  #failed(error: unknown, retry: () => Promise<unknown>): void {
    if (this.#leaving.signal.aborted) return;
    this.#retries.push(retry);
    const known = error instanceof AskError ? error : new AskError('INTERNAL', String(error));
    this.#set({ error: known, loading: false });
  }

  #set(changes: Partial<LogState>): void {
    if (this.#leaving.signal.aborted) return;
    this.#state = { ...this.#state, ...changes };
    this.#changed(this.#state);
  }
}

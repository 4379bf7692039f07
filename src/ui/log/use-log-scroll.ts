/**
 * Where a log is scrolled to. Lines come and go on either side, and how many there are is at first
 * a guess: whatever happens, the line that is read stays where it is.
 */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isPrinting } from '../parts/printing.ts';
import { useSeen } from '../parts/virtual.ts';
import { Geometry, ROW, rowsBefore } from './geometry.ts';
import type { Line } from './line.ts';
import type { LogSource } from './log-source.ts';
import type { LogState } from './log-state.ts';
import { wrappedHeights } from './log-wrap.ts';

const OVERSCAN = 12;
/** Rows near an end of what is here at which more is asked for. */
const NEAR = 60;
/** Rows outside of what is here that are reached by reading on; farther ones are jumped to. */
const BORDER = 400;
/** What stays in sight around a line that is brought there. */
const CONTEXT = 3 * ROW;
/** Somebody who drags the scroll bar is not asked for each place that is passed. */
const SETTLE_MS = 40;

interface LogScrollOptions {
  scroller: RefObject<HTMLDivElement | null>;
  source: LogSource;
  state: LogState | null;
  follow: boolean;
  setFollow: (follow: boolean) => void;
  wrapped: boolean;
  /** Index in `lines` of the selected line; null: none is here. */
  selected: number | null;
}

export interface LogScroll {
  geometry: Geometry;
  /** To draw, from `top` on. */
  rows: readonly number[];
  top: number;
  /** Resolves to the cursor that the line has in this log; null: it is not in it. */
  toCursor(cursor: string): Promise<string | null>;
  toStart(): void;
  /** Scrolls as little as is needed for this index of `lines`. */
  into(index: number): void;
  /** Index in `lines` of the first line that is seen. */
  firstLine(): number;
  onScroll(): void;
}

const NO_LINES: readonly Line[] = [];

export function useLogScroll(options: LogScrollOptions): LogScroll {
  const { scroller, source, state, follow, setFollow, wrapped, selected } = options;
  const { top: seenTop, bottom: seenBottom, look } = useSeen(scroller, ROW);
  const lines = state?.lines ?? NO_LINES;
  const columns = useColumns(scroller, wrapped && lines.length > 0);
  const { before = 0, total = 0, move = 0, first: firstPlace = 0, askedAt = null } = state ?? {};
  const rowsMax = useMemo(rowsOfBrowser, []);
  /** The row of the line at place 0 of a move. */
  const origin = useRef({ move: -1, row: 0 });
  const geometry = useMemo(() => {
    const here = lines.length;
    const extent = { before, here, after: total - before - here };
    const row = origin.current.move === move ? origin.current.row : askedAt?.row;
    const offset = rowsBefore(extent, row === undefined ? null : row + firstPlace, rowsMax);
    origin.current = { move, row: offset - firstPlace };
    const heights = wrapped ? wrappedHeights(lines, columns) : null;
    return new Geometry(extent, offset, rowsMax, heights);
  }, [lines, before, total, move, firstPlace, askedAt, rowsMax, wrapped, columns]);

  const first = Math.max(0, geometry.rowAt(seenTop) - OVERSCAN);
  const last = Math.min(geometry.count, geometry.rowAt(seenBottom) + OVERSCAN);
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);

  /** The cursor to bring into the middle as soon as its line is here. */
  const wanted = useRef<string | null>(null);
  /** The selected line where it is seen, else the first one, and where its row began when it was drawn. */
  const anchor = useRef<{ place: number; top: number } | null>(null);
  /** The move that was drawn last. */
  const drawn = useRef(-1);
  /** Where it was scrolled to when it was left at its end; null: it was not. */
  const endedAt = useRef<number | null>(null);
  /** Where a script scrolled to: what is not somebody's doing. */
  const placed = useRef(-1);

  const scrollTo = (pixels: number): void => {
    const box = scroller.current;
    if (box === null || Math.abs(box.scrollTop - pixels) < 1) return;
    box.scrollTop = pixels;
    placed.current = box.scrollTop;
    // The event of scrolling comes too late for this frame.
    look();
  };

  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null || isPrinting()) return;
    if (drawn.current !== move) {
      anchor.current = askedAt === null ? null : { place: 0, top: askedAt.top };
      drawn.current = move;
    }
    const ended = endedAt.current;
    endedAt.current = null;
    const target =
      wanted.current === null ? -1 : lines.findIndex(({ cursor }) => cursor === wanted.current);
    if (target >= 0) {
      wanted.current = null;
      const middle = (box.clientHeight - ROW) / 2;
      scrollTo(Math.max(0, geometry.topOf(geometry.offset + target) - middle));
    } else if (follow && state?.atEnd === true) {
      const end = Math.max(0, box.scrollHeight - box.clientHeight);
      // Scrolled up since: the event tells it in the next frame only, and lines may come faster.
      if (box.scrollTop < Math.min(ended ?? 0, end) - 1) setFollow(false);
      else {
        scrollTo(end);
        endedAt.current = box.scrollTop;
      }
    } else if (anchor.current !== null && wanted.current === null) {
      const { place, top } = anchor.current;
      const index = place - firstPlace;
      if (index >= 0 && index < lines.length) {
        const moved = geometry.topOf(geometry.offset + index) - top;
        if (moved !== 0) scrollTo(box.scrollTop + moved);
      }
    }
    const [top, bottom] = [box.scrollTop, box.scrollTop + box.clientHeight];
    const of = selected === null ? -1 : geometry.topOf(geometry.offset + selected);
    const row = of >= top && of < bottom ? geometry.offset + (selected ?? 0) : geometry.rowAt(top);
    let index = row - geometry.offset;
    // Who scrolls faster than lines come looks at empty rows: what comes joins what was read.
    if (index < 0 && index >= -BORDER) index = 0;
    else if (index >= lines.length && index < lines.length + BORDER) index = lines.length - 1;
    anchor.current =
      lines[index] === undefined
        ? null
        : { place: firstPlace + index, top: geometry.topOf(geometry.offset + index) };
  });

  /** The row that was asked for because nothing was there; once is enough. */
  const asked = useRef(-1);
  const firstSeen = geometry.rowAt(seenTop);
  const lastSeen = geometry.rowAt(seenBottom);
  useEffect(() => {
    if (state === null || wanted.current !== null || state.error !== null) return;
    // Scrolled by the effect above: what is seen is known a moment later.
    if (Math.floor((scroller.current?.scrollTop ?? seenTop) / ROW) * ROW !== seenTop) return;
    const [start, end] = [geometry.offset, geometry.offset + lines.length];
    const away = lastSeen < start - BORDER || firstSeen > end + BORDER;
    if (away) {
      if (follow || asked.current === firstSeen) return;
      const timer = setTimeout(() => {
        asked.current = firstSeen;
        const place = { row: firstSeen, top: geometry.topOf(firstSeen) };
        void source.toLine(geometry.lineAt(firstSeen), place);
      }, SETTLE_MS);
      return () => clearTimeout(timer);
    }
    asked.current = -1;
    if (state.loading) return;
    if (firstSeen < start + NEAR) void source.older();
    if (lastSeen > end - NEAR) void source.newer();
    return;
  }, [state, seenTop, firstSeen, lastSeen]);

  return {
    geometry,
    rows,
    top: geometry.topOf(first),
    async toCursor(cursor) {
      wanted.current = cursor;
      const here = await source.toCursor(cursor);
      if (wanted.current !== cursor) return here;
      wanted.current = here;
      // Drawn again where it was here already; given up where it is not stored.
      source.touch();
      requestAnimationFrame(() => {
        if (wanted.current === here) wanted.current = null;
      });
      return here;
    },
    toStart() {
      wanted.current = null;
      anchor.current = null;
      asked.current = 0;
      scrollTo(0);
      void source.toStart().then(() => scrollTo(0));
    },
    into(index) {
      const box = scroller.current;
      if (box === null) return;
      const row = geometry.offset + index;
      const top = geometry.topOf(row) - CONTEXT;
      const bottom = geometry.topOf(row + 1) + CONTEXT;
      if (top < box.scrollTop) scrollTo(Math.max(0, top));
      else if (bottom > box.scrollTop + box.clientHeight) scrollTo(bottom - box.clientHeight);
    },
    firstLine: () => Math.max(0, firstSeen - geometry.offset),
    onScroll() {
      const box = scroller.current;
      if (box === null || Math.abs(box.scrollTop - placed.current) < 1) return;
      placed.current = -1;
      const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - ROW;
      if (!atEnd) setFollow(false);
      else if (state?.atEnd === true) setFollow(true);
    },
  };
}

/** What a browser can scroll, in rows; of longer logs a row may be more than one line. */
function rowsOfBrowser(): number {
  const height = getComputedStyle(document.documentElement).getPropertyValue('--scroll-max');
  return Math.floor(Number.parseInt(height, 10) / ROW);
}

/** Characters that fit beside the columns of time, step and level. */
function useColumns(scroller: RefObject<HTMLDivElement | null>, wrapped: boolean): number {
  const [columns, setColumns] = useState(80);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null || !wrapped) return;
    const measure = (): void => {
      const text = box.querySelector<HTMLElement>('.log-text');
      if (text === null) return;
      const letter = Number.parseFloat(getComputedStyle(text).fontSize) * 0.602;
      setColumns(Math.max(10, Math.floor(text.clientWidth / letter)));
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(box);
    return () => resized.disconnect();
  }, [scroller, wrapped]);
  return columns;
}

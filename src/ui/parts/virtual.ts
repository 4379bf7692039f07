/**
 * Long lists: only the rows that can be seen are in the page. All rows are of one height, so where
 * each of them is needs no table, and a million of them cost as little as ten.
 */
import type { RefObject } from 'preact';
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useCell } from './cell.ts';
import { isPrinting, printing } from './printing.ts';

export interface VirtualRows {
  /** Those to draw: what can be seen, and some on either side. */
  rows: readonly { index: number; start: number }[];
  /** Pixels of all rows together. */
  height: number;
  /** Brings a row into the middle. */
  scrollTo(index: number): void;
}

const OVERSCAN = 8;
/** Rows on paper, from the first one on. */
export const PRINTED_ROWS = 500;

interface Seen {
  top: number;
  bottom: number;
  /** For a script that scrolled: what is seen now is drawn in the same frame. */
  look(): void;
}

/** The part of `scroller` that can be seen, in whole steps of `step` pixels, outwards. */
export function useSeen(scroller: RefObject<HTMLElement | null>, step: number): Seen {
  const [seen, setSeen] = useState({ top: 0, bottom: 40 * step });
  const current = useRef(seen);
  current.current = seen;
  const look = useCallback((): void => {
    const box = scroller.current;
    // On paper nothing is scrolled: what was seen is what is drawn.
    if (box === null || isPrinting()) return;
    const top = Math.floor(box.scrollTop / step) * step;
    const bottom = Math.ceil((box.scrollTop + box.clientHeight) / step) * step;
    setSeen((was) => (was.top === top && was.bottom === bottom ? was : { top, bottom }));
  }, [scroller, step]);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    look();
    const resized = new ResizeObserver(look);
    resized.observe(box);
    box.addEventListener('scroll', look, { passive: true });
    const stopPrinting = printing.listen(() => {
      if (!printing.value) box.scrollTop = current.current.top;
    });
    return () => {
      stopPrinting();
      resized.disconnect();
      box.removeEventListener('scroll', look);
    };
  }, [scroller, look]);
  return { ...seen, look };
}

/** Rows of `rowHeight` pixels inside `scroller`. */
export function useVirtual(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
): VirtualRows {
  const { top, bottom } = useSeen(scroller, rowHeight);
  const onPaper = useCell(printing);
  const first = onPaper ? 0 : Math.max(0, Math.min(top / rowHeight, count - 1) - OVERSCAN);
  const last = Math.min(count, onPaper ? PRINTED_ROWS : bottom / rowHeight + OVERSCAN);
  const rows: { index: number; start: number }[] = [];
  for (let index = first; index < last; index++) rows.push({ index, start: index * rowHeight });
  return {
    rows,
    height: count * rowHeight,
    scrollTo(index) {
      const box = scroller.current;
      if (box !== null) box.scrollTop = index * rowHeight - (box.clientHeight - rowHeight) / 2;
    },
  };
}

/** Long lists: only the rows that can be seen are in the page. */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
} from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

export interface VirtualRows {
  rows: readonly VirtualItem[];
  /** Pixels of all rows together. */
  height: number;
  scrollTo(index: number): void;
}

/** Rows of a fixed height inside `scroller`. */
export function useVirtual(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
): VirtualRows {
  const [, draw] = useState(0);
  const [virtualizer] = useState(
    () =>
      new Virtualizer<HTMLElement, HTMLElement>({
        ...options(scroller, count, rowHeight),
        onChange: () => draw((drawn) => drawn + 1),
      }),
  );
  virtualizer.setOptions({
    ...options(scroller, count, rowHeight),
    onChange: () => draw((drawn) => drawn + 1),
  });
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  return {
    rows: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    // All rows are of one height, so the place is known at once.
    scrollTo(index) {
      const box = scroller.current;
      if (box !== null) box.scrollTop = index * rowHeight - (box.clientHeight - rowHeight) / 2;
    },
  };
}

function options(scroller: RefObject<HTMLElement | null>, count: number, rowHeight: number) {
  return {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
  };
}

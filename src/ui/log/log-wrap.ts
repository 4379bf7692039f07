/** Whether long lines are wrapped: remembered; on a phone they are at first. */
import { preference } from '../parts/preference.ts';
import type { Line } from './line.ts';
import { textOf } from './line-text.ts';
import { ROW } from './geometry.ts';
import { SHOWN_MAX } from './log-line.tsx';

const NARROW = matchMedia('(max-width: 600px)').matches;

export const lineWrap = preference('shiplog-log-wrap', ['wrap', 'cut'], NARROW ? 'wrap' : 'cut');

export function toggleWrap(): void {
  lineWrap.value = lineWrap.value === 'wrap' ? 'cut' : 'wrap';
}

/** About how high each line is where `columns` characters have room; drawn ones are as high as they are. */
export function wrappedHeights(lines: readonly Line[], columns: number): Float64Array {
  return Float64Array.from(lines, ({ event }) => {
    let rows = 0;
    for (const part of textOf(event).slice(0, SHOWN_MAX).split('\n')) {
      rows += Math.max(1, Math.ceil(part.length / columns));
    }
    return rows * ROW;
  });
}

/** The lines that an address names: one cursor, or two of a range. */
import { useMemo } from 'preact/hooks';
import { setParams, useParam } from '../address/address.ts';
import type { Line } from './line.ts';

/** In no cursor. */
const SEPARATOR = '..';

export interface Selection {
  from: string;
  to: string;
}

export function useSelection(): Selection | null {
  const [text] = useParam('line');
  return useMemo(() => {
    if (text === undefined) return null;
    const [from = '', to = from] = text.split(SEPARATOR);
    return { from, to };
  }, [text]);
}

export function select({ from, to }: Selection): void {
  setParams({ line: from === to ? from : `${from}${SEPARATOR}${to}` }, { replace: true });
}

/** Indices in `lines`, the second one exclusive; where an end is not here, up to the end of what is. */
export function selectedRange(
  lines: readonly Line[],
  selection: Selection | null,
): readonly [number, number] {
  if (selection === null) return [0, 0];
  const from = lines.findIndex(({ cursor }) => cursor === selection.from);
  if (selection.from === selection.to) return from < 0 ? [0, 0] : [from, from + 1];
  const to = lines.findIndex(({ cursor }) => cursor === selection.to);
  if (from < 0 && to < 0) return [0, 0];
  if (from < 0) return [0, to + 1];
  if (to < 0) return [from, lines.length];
  return [Math.min(from, to), Math.max(from, to) + 1];
}

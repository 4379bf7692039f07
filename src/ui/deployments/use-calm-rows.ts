/**
 * Rows that come do not push away what somebody points at: while the pointer is in the list, or it is
 * scrolled, they wait, and a button says how many there are.
 */
import { useRef, useState } from 'preact/hooks';
import type { DeploymentRowFragment } from '../gen/graphql.ts';
import { createdAt, withOlder } from './deployment-rows.ts';

export interface CalmRows {
  rows: readonly DeploymentRowFragment[];
  waiting: number;
  showWaiting: () => void;
  onPointerEnter: () => void;
  onPointerLeave: () => void;
}

/** Above this many pixels the head of the list is in sight. */
const AT_TOP = 40;

/**
 * `view`: changes where other rows are asked for, which are then shown at once. `end`: when the last
 * row of the list was created; older ones are no longer followed.
 */
export function useCalmRows(
  newest: readonly DeploymentRowFragment[],
  view: string,
  end: number,
): CalmRows {
  const [inside, setInside] = useState(false);
  const [, draw] = useState(0);
  const shown = useRef({ view, rows: newest });
  const { current } = shown;
  const followed = current.rows.filter((row) => createdAt(row) >= end);
  const calm = (inside || scrollY > AT_TOP) && current.view === view && followed.length > 0;
  if (calm) {
    // Those that are shown change in their place; one that no longer fits stays until one looks away.
    const byId = new Map(newest.map((row) => [row.id, row]));
    current.rows = withOlder(followed, newest).map((row) => byId.get(row.id) ?? row);
  } else {
    shown.current = { view, rows: newest };
  }
  const ids = new Set(shown.current.rows.map(({ id }) => id));
  return {
    rows: shown.current.rows,
    waiting: calm ? newest.filter(({ id }) => !ids.has(id)).length : 0,
    showWaiting() {
      shown.current = { view, rows: newest };
      scrollTo({ top: 0 });
      draw((drawn) => drawn + 1);
    },
    onPointerEnter: () => setInside(true),
    onPointerLeave: () => setInside(false),
  };
}

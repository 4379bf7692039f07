/** Rows that stand still while the view is paused. */
import { useRef } from 'preact/hooks';
import { paused } from '../data/pause.ts';
import type { DeploymentRowFragment } from '../gen/graphql.ts';
import { useCell } from '../parts/cell.ts';
import { withOlder } from './deployment-rows.ts';

type Rows = readonly DeploymentRowFragment[] | null;

/** `turned` counts the pages that somebody asked for: whoever does so while paused sees them. */
export function useHeldRows(newest: Rows, turned: number): Rows {
  const standing = useCell(paused) !== null;
  const held = useRef({ rows: newest, turned });
  const { rows } = held.current;
  if (!standing || rows === null || newest === null) held.current = { rows: newest, turned };
  else if (held.current.turned !== turned) {
    held.current = { rows: withOlder(rows, newest), turned };
  }
  return held.current.rows;
}

/** The board: hosts × steps, hosts that look the same folded into one row, failures first. */
import { useMemo } from 'preact/hooks';
import { useNow } from '../parts/clock.ts';
import { duration } from '../parts/time.ts';
import { statusWord } from '../parts/status.tsx';
import './board.css';
import { BoardGrid, type BoardLine } from './board-grid.tsx';
import {
  type BoardFilter,
  countOf,
  FILTERS,
  groupsShown,
  showFilter,
  useBoardFilter,
} from './board-filter.ts';
import type { BoardModel } from './board-model.ts';
import { useOpenGroups } from './use-open-groups.ts';

interface BoardProps {
  id: string;
  model: BoardModel;
  version: number;
  /** Since when the host that is out of rotation for longest is so; null: none is. */
  outSince: string | null;
}

export function Board({ id, model, version, outSince }: BoardProps) {
  const chosen = useBoardFilter();
  const { open, toggle } = useOpenGroups(model, version);
  const { filter, cell } = chosen;
  const lines = useMemo(
    () => linesOf(model, chosen, open),
    [model, version, filter, cell?.step, cell?.status, open],
  );
  return (
    <section aria-label="Board">
      <h2>Board</h2>
      <p class="board-filters">
        {FILTERS.map((one) => {
          const count = countOf(model, one);
          return (
            <button
              type="button"
              key={one}
              aria-pressed={cell === null && one === filter}
              onClick={() => showFilter(one)}
            >
              {one} {count.toLocaleString('en')}
              {one === 'out of rotation' && count > 0 && <Longest since={outSince} />}
            </button>
          );
        })}
        {cell !== null && (
          <button type="button" aria-pressed={true} onClick={() => showFilter('all')}>
            {cell.step}: {statusWord(cell.status).toLowerCase()} ✕
          </button>
        )}
      </p>
      {version > 0 && lines.length === 0 && (
        <p class="none">
          {model.size === 0 ? 'No host was named, and none has reported.' : 'No host is like this.'}
        </p>
      )}
      <BoardGrid id={id} steps={model.steps} lines={lines} open={open} onToggle={toggle} />
    </section>
  );
}

function Longest({ since }: { since: string | null }) {
  const now = useNow();
  if (since === null) return null;
  return <>, longest {duration(Math.max(0, now - Date.parse(since)))}</>;
}

function linesOf(
  model: BoardModel,
  filter: BoardFilter,
  open: ReadonlySet<string>,
): readonly BoardLine[] {
  const lines: BoardLine[] = [];
  for (const group of groupsShown(model, filter)) {
    const [only] = group.hosts;
    if (group.hosts.length === 1 && only !== undefined) {
      lines.push({ group, host: only, inGroup: false });
      continue;
    }
    lines.push({ group, host: null, inGroup: false });
    if (!open.has(group.pattern)) continue;
    for (const host of group.hosts) lines.push({ group, host, inGroup: true });
  }
  return lines;
}

/** Which hosts of the board are shown, as the address says. */
import { addressOf, setParams, useParam } from '../address/address.ts';
import { type BoardModel, hasFailed, type HostGroup, statusOf } from './board-model.ts';

export const FILTERS = ['all', 'failed', 'running', 'silent', 'out of rotation'] as const;
export type Filter = (typeof FILTERS)[number];

export interface BoardFilter {
  filter: Filter;
  /** Only hosts on which this step stands so; null: any. */
  cell: { step: string; status: string } | null;
}

/** `show=failed`, or `show=unpack:FAILED`: no status holds a colon, a step may. */
export function useBoardFilter(): BoardFilter {
  const [text = 'all'] = useParam('show');
  const filter = FILTERS.find((one) => one === text);
  if (filter !== undefined) return { filter, cell: null };
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { filter: 'all', cell: null };
  return { filter: 'all', cell: { step: text.slice(0, colon), status: text.slice(colon + 1) } };
}

export function showFilter(filter: Filter): void {
  setParams({ show: filter === 'all' ? null : filter }, { replace: true });
}

export function showCell(step: string, status: string): void {
  setParams({ show: `${step}:${status}` }, { replace: true });
}

export function hostAddress(id: string, host: string, step: string | null = null): string {
  const { search } = location;
  return addressOf(['tasks', id], { host, step, show: new URLSearchParams(search).getAll('show') });
}

export function groupsShown(model: BoardModel, { filter, cell }: BoardFilter): HostGroup[] {
  const step = cell === null ? -1 : model.steps.indexOf(cell.step);
  return model.groups().filter(({ pattern }) => {
    if (cell !== null) return statusOf(pattern[step] ?? '-') === cell.status;
    return matches(model, pattern, filter);
  });
}

export function countOf(model: BoardModel, filter: Filter): number {
  if (filter === 'all') return model.size;
  return model
    .groups()
    .reduce(
      (sum, { pattern, hosts }) => sum + (matches(model, pattern, filter) ? hosts.length : 0),
      0,
    );
}

/** Which hosts are out of rotation now, as one text. */
export function hostsOut(model: BoardModel): string {
  const groups = model.groups().filter(({ pattern }) => isOut(model.steps, pattern));
  return groups.flatMap(({ hosts }) => hosts).join(' ');
}

function matches(model: BoardModel, pattern: string, filter: Filter): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'failed':
      return hasFailed(pattern);
    case 'running':
      return /R/i.test(pattern);
    case 'silent':
      return /[a-z]/.test(pattern);
    case 'out of rotation':
      return isOut(model.steps, pattern);
  }
}

/** Taken out of the load balancer, and not yet back. */
function isOut(steps: readonly string[], pattern: string): boolean {
  const offline = steps.indexOf('nginx-offline');
  const online = steps.indexOf('nginx-online');
  return offline >= 0 && online >= 0 && pattern[offline] === 'S' && pattern[online] !== 'S';
}

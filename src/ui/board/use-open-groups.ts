/** The groups of the board that somebody opened: they stay open when their hosts move on together. */
import { useMemo, useRef, useState } from 'preact/hooks';
import type { BoardModel, HostGroup } from './board-model.ts';

/** By pattern, each with the hosts that it had. */
type Open = ReadonlyMap<string, readonly string[]>;

interface OpenGroups {
  open: ReadonlySet<string>;
  toggle: (pattern: string) => void;
}

export function useOpenGroups(model: BoardModel, version: number): OpenGroups {
  const held = useRef<Open>(new Map());
  const [toggled, setToggled] = useState(0);
  const open = useMemo(() => {
    held.current = carried(held.current, model.groups());
    return new Set(held.current.keys());
  }, [model, version, toggled]);
  const toggle = (pattern: string): void => {
    const next = new Map(held.current);
    if (!next.delete(pattern)) next.set(pattern, []);
    held.current = next;
    setToggled((count) => count + 1);
  };
  return { open, toggle };
}

/** A pattern without hosts is forgotten; one whose hosts all come from open groups is open, too. */
function carried(open: Open, groups: readonly HostGroup[]): Open {
  if (open.size === 0) return open;
  const shown = new Set([...open.values()].flat());
  const next = new Map<string, readonly string[]>();
  for (const { pattern, hosts } of groups) {
    if (open.has(pattern) || hosts.every((host) => shown.has(host))) next.set(pattern, hosts);
  }
  return next;
}

/** The groups of the board that somebody opened: they stay open when their hosts move on together. */
import { useMemo, useRef, useState } from 'preact/hooks';
import type { BoardModel, HostGroup } from './board-model.ts';

interface Opened {
  hosts: readonly string[];
  /** Also those that were in it before. */
  known: ReadonlySet<string>;
}

/** By pattern. */
type Open = ReadonlyMap<string, Opened>;

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
    if (!next.delete(pattern)) next.set(pattern, NOBODY);
    held.current = next;
    setToggled((count) => count + 1);
  };
  return { open, toggle };
}

const NOBODY: Opened = { hosts: [], known: new Set() };

/** Each goes on as what its hosts look like now; where they look like different things it is forgotten. */
function carried(open: Open, groups: readonly HostGroup[]): Open {
  const next = new Map<string, Opened>();
  for (const [pattern, was] of open) {
    const same = groups.find((group) => group.pattern === pattern);
    const group = same ?? groups.find(({ hosts }) => succeeds(hosts, was));
    if (group === undefined) continue;
    const { hosts } = group;
    const known = new Set(same === undefined ? hosts : [...was.known, ...hosts]);
    next.set(group.pattern, { hosts, known });
  }
  return next;
}

/** Not all of them move on at once: those that did before are met again. */
function succeeds(hosts: readonly string[], was: Opened): boolean {
  if (hosts.length < was.hosts.length || !hosts.every((host) => was.known.has(host))) return false;
  const here = new Set(hosts);
  return was.hosts.every((host) => here.has(host));
}

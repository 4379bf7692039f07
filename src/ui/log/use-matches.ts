/** What the server finds in a log: all of it, however much of it is here. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../data/ask.ts';
import { type EventFilter, LogMatchesDocument } from '../gen/graphql.ts';

const PAGE = 1_000;
const TYPING_MS = 250;

interface Found {
  cursors: readonly string[];
  total: number;
  totalIsExact: boolean;
  /** Behind which there are more; null: there are none. */
  next: string | null;
  /** Which of `cursors` is shown; -1: none of them. */
  at: number;
}

export interface Matches {
  /** null: nothing is searched, or not answered yet. */
  found: Found | null;
  problem: string | null;
  /** To the next or the previous one. */
  move(by: 1 | -1): Promise<void>;
}

/**
 * `current`: the line that is shown already. Where it is a match, it begins there; and it stays as long
 * as nothing else is searched for: an address may name both.
 */
export function useMatches(
  filter: EventFilter,
  search: string,
  current: string | null,
  onHit: (cursor: string) => void,
): Matches {
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const key = JSON.stringify(filter);
  const searched = useRef(search);

  async function page(after: string | null, signal?: AbortSignal): Promise<Found> {
    const variables = { filter: { ...filter, search }, first: PAGE, after };
    const { events } = await ask(LogMatchesDocument, variables, signal);
    const { hasNextPage, endCursor } = events.pageInfo;
    return {
      cursors: events.edges.map(({ cursor }) => cursor),
      total: events.totalCount ?? 0,
      totalIsExact: events.totalCountIsExact,
      next: hasNextPage ? endCursor : null,
      at: 0,
    };
  }

  useEffect(() => {
    const stays = current !== null && searched.current === search;
    searched.current = search;
    setFound(null);
    setProblem(null);
    if (search.trim() === '') return;
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      page(null, leaving.signal).then(
        (first) => {
          const at = current === null ? -1 : first.cursors.indexOf(current);
          const [hit] = first.cursors;
          setFound({ ...first, at: stays ? at : Math.max(0, at) });
          if (at < 0 && !stays && hit !== undefined) onHit(hit);
        },
        (error: Error) => {
          if (!leaving.signal.aborted) setProblem(error.message);
        },
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [search, key]);

  async function move(by: 1 | -1): Promise<void> {
    if (found === null || found.cursors.length === 0) return;
    let { cursors, next } = found;
    let at = found.at + by;
    if (at === cursors.length && next !== null) {
      try {
        const more = await page(next);
        cursors = [...cursors, ...more.cursors];
        next = more.next;
      } catch (error) {
        setProblem((error as Error).message);
        return;
      }
    }
    // Around the ends; backwards only as far as they are known.
    if (at < 0) at = next === null ? cursors.length - 1 : 0;
    if (at >= cursors.length) at = 0;
    setFound({ ...found, cursors, next, at });
    onHit(cursors[at] as string);
  }
  return { found, problem, move };
}

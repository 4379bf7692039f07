/** Search in this log, by the server: all of it, however much of it is here. */
import { useEffect, useState } from 'preact/hooks';
import { setParams, useParam } from '../address/address.ts';
import { ask } from '../data/ask.ts';
import { type EventFilter, LogMatchesDocument } from '../gen/graphql.ts';

const HITS_MAX = 1_000;
const TYPING_MS = 250;

interface Hits {
  cursors: readonly string[];
  total: number | null;
  problem: string | null;
}
const NONE: Hits = { cursors: [], total: null, problem: null };

interface LogSearchProps {
  filter: EventFilter;
  onHit: (cursor: string) => void;
}

export function LogSearch({ filter, onHit }: LogSearchProps) {
  const [text = ''] = useParam('q');
  const [hits, setHits] = useState<Hits>(NONE);
  const [at, setAt] = useState(0);
  const key = JSON.stringify(filter);
  useEffect(() => {
    setHits(NONE);
    setAt(0);
    if (text.trim() === '') return;
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      const variables = { filter: { ...JSON.parse(key), search: text }, first: HITS_MAX };
      ask(LogMatchesDocument, variables, leaving.signal).then(
        ({ events }) => {
          const cursors = events.edges.map(({ cursor }) => cursor);
          setHits({ cursors, total: events.totalCount, problem: null });
          if (cursors[0] !== undefined) onHit(cursors[0]);
        },
        (error: Error) => {
          if (!leaving.signal.aborted) setHits({ ...NONE, problem: error.message });
        },
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [text, key]);
  const move = (by: number): void => {
    const { length } = hits.cursors;
    if (length === 0) return;
    const next = (at + by + length) % length;
    setAt(next);
    onHit(hits.cursors[next] as string);
  };
  return (
    <span class="log-search">
      <input
        type="search"
        aria-label="Search this log"
        placeholder='word "a phrase" level:error'
        value={text}
        onInput={(event) => setParams({ q: event.currentTarget.value }, { replace: true })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') move(event.shiftKey ? -1 : 1);
        }}
      />{' '}
      {text !== '' && hits.problem === null && hits.total !== null && (
        <span>
          {hits.cursors.length === 0
            ? 'no match'
            : `${at + 1} of ${hits.total.toLocaleString('en')}`}{' '}
          <button type="button" onClick={() => move(-1)} aria-label="Previous match">
            ↑
          </button>
          <button type="button" onClick={() => move(1)} aria-label="Next match">
            ↓
          </button>
        </span>
      )}
      {hits.problem !== null && <span class="problem">{hits.problem}</span>}
    </span>
  );
}

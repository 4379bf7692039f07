/** A run, asked for again when its cells changed. */
import { useEffect, useState } from 'preact/hooks';
import { useAgain } from '../data/again.ts';
import { type AskError, ask } from '../data/ask.ts';
import { RunDetailsDocument, type RunDetailsFragment } from '../gen/graphql.ts';

const LEAST_MS = 500;
/** The board usually comes first, and one question is enough. */
const BOARD_MS = 400;

interface LiveRun {
  host: string;
  run: RunDetailsFragment | null;
  /** false: not answered yet. */
  known: boolean;
  error: AskError | null;
}

/** `news`: its cells; '' as long as they are not known. */
export function useRun(id: string, host: string, news: string): LiveRun {
  const none: LiveRun = { host, run: null, known: false, error: null };
  const [live, setLive] = useState(none);
  const [asked] = useState({ at: 0, host: '' });
  const again = useAgain();
  useEffect(() => {
    const leaving = new AbortController();
    const since = asked.host === host ? Math.max(0, asked.at + LEAST_MS - Date.now()) : 0;
    const wait = news === '' ? BOARD_MS : since;
    const timer = setTimeout(() => {
      Object.assign(asked, { at: Date.now(), host });
      ask(RunDetailsDocument, { id, host }, leaving.signal).then(
        ({ task }) => setLive({ host, run: task?.run ?? null, known: true, error: null }),
        (error: AskError) => {
          if (leaving.signal.aborted) return;
          setLive((was) => (was.host === host ? { ...was, error } : { ...none, error }));
        },
      );
    }, wait);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [id, host, news, again]);
  return live.host === host ? live : none;
}

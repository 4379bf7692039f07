/**
 * A question that a view asks: again when its variables change, or the server came back. The old
 * answer stays meanwhile.
 */
import { useEffect, useState } from 'preact/hooks';
import type { TypedDocumentString } from '../gen/graphql.ts';
import { useAgain } from './again.ts';
import { type AskError, ask } from './ask.ts';

export interface Answered<Result> {
  /** null: not known yet. */
  data: Result | null;
  error: AskError | null;
  /** What is shown answers an older question. */
  asking: boolean;
}

/** `variables` null: nothing to ask. `delayMs`: for what changes as one types. */
export function useAnswer<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables | null,
  delayMs = 0,
): Answered<Result> {
  const key = JSON.stringify(variables);
  const again = useAgain();
  const [answer, setAnswer] = useState<Answered<Result>>(UNKNOWN);
  useEffect(() => {
    const asked = JSON.parse(key) as Variables | null;
    if (asked === null) {
      setAnswer(UNKNOWN);
      return;
    }
    setAnswer((known) => ({ ...known, asking: true }));
    const leaving = new AbortController();
    const { signal } = leaving;
    const timer = setTimeout(() => {
      ask(document, asked, signal).then(
        (data) => setAnswer({ data, error: null, asking: false }),
        (error: AskError) => {
          if (!signal.aborted) setAnswer(({ data }) => ({ data, error, asking: false }));
        },
      );
    }, delayMs);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [document, key, again]);
  return answer;
}

const UNKNOWN = { data: null, error: null, asking: true } as const;

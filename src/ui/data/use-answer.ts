/** A question that a view asks: again when its variables change, the old answer stays meanwhile. */
import { useEffect, useState } from 'preact/hooks';
import type { TypedDocumentString } from '../gen/graphql.ts';
import { type AskError, ask } from './ask.ts';
import { token } from './token.ts';

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
  const [answer, setAnswer] = useState<Answered<Result>>(UNKNOWN);
  useEffect(() => {
    const asked = JSON.parse(key) as Variables | null;
    if (asked === null) {
      setAnswer(UNKNOWN);
      return;
    }
    setAnswer((known) => ({ ...known, asking: true }));
    let leaving = new AbortController();
    const begin = (): void => {
      leaving = new AbortController();
      const { signal } = leaving;
      ask(document, asked, signal).then(
        (data) => setAnswer({ data, error: null, asking: false }),
        (error: AskError) => {
          if (!signal.aborted) setAnswer(({ data }) => ({ data, error, asking: false }));
        },
      );
    };
    const timer = setTimeout(begin, delayMs);
    // Refused for want of a token: asked again with it.
    const stop = token.listen(begin);
    return () => {
      clearTimeout(timer);
      stop();
      leaving.abort();
    };
  }, [document, key]);
  return answer;
}

const UNKNOWN = { data: null, error: null, asking: true } as const;

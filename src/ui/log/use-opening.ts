/** Where a log opens, found once: what fails while somebody reads does not move it away. */
import { useEffect, useState } from 'preact/hooks';

export interface Opening {
  /** null: at its end. */
  cursor: string | null;
}

/**
 * null: not known yet. `find` is called once for each `key`, as soon as that is not null; it resolves
 * to null where the log opens at its end.
 */
export function useOpening(
  key: string | null,
  find: (signal: AbortSignal) => Promise<string | null>,
): Opening | null {
  const [found, setFound] = useState<(Opening & { key: string }) | null>(null);
  useEffect(() => {
    if (key === null) return;
    const leaving = new AbortController();
    find(leaving.signal).then(
      (cursor) => setFound({ key, cursor }),
      () => {
        if (!leaving.signal.aborted) setFound({ key, cursor: null });
      },
    );
    return () => leaving.abort();
  }, [key]);
  return found?.key === key ? found : null;
}

/** Older and newer pages of a list that is shown newest first; the page is in the address. */
import { setParams, useParam } from '../address/address.ts';

export const PAGE = 50;

/** Of a query: `ascending` lists begin with their oldest row. */
export function usePage(ascending: boolean): {
  first: number | null;
  after: string | null;
  last: number | null;
  before: string | null;
  /** Whether it is not the first page. */
  turned: boolean;
} {
  const [before = null] = useParam('before');
  const [after = null] = useParam('after');
  const backwards = before !== null || (after === null && ascending);
  return {
    first: backwards ? null : PAGE,
    after: backwards ? null : after,
    last: backwards ? PAGE : null,
    before,
    turned: before !== null || after !== null,
  };
}

interface PagerProps {
  info: {
    startCursor: string | null;
    endCursor: string | null;
    hasPreviousPage: boolean;
    hasNextPage: boolean;
  };
  ascending: boolean;
  turned: boolean;
  /** Of what leads towards the beginning of what is shown, and towards its end. */
  words: readonly [back: string, on: string];
}

export function Pager({ info, ascending, turned, words }: PagerProps) {
  const previous = info.hasPreviousPage ? info.startCursor : null;
  const next = info.hasNextPage ? info.endCursor : null;
  const turn = (page: { before: string | null; after: string | null }): void => {
    setParams(page);
    scrollTo(0, 0);
  };
  const toPrevious = (): void => turn({ before: previous, after: null });
  const toNext = (): void => turn({ after: next, before: null });
  const [back, on] = ascending
    ? [
        { cursor: next, go: toNext },
        { cursor: previous, go: toPrevious },
      ]
    : [
        { cursor: previous, go: toPrevious },
        { cursor: next, go: toNext },
      ];
  if (!turned && back.cursor === null && on.cursor === null) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {turned && (
        <button type="button" onClick={() => turn({ before: null, after: null })}>
          ⇤ First page
        </button>
      )}
      <button type="button" disabled={back.cursor === null} onClick={back.go}>
        ← {words[0]}
      </button>
      <button type="button" disabled={on.cursor === null} onClick={on.go}>
        {words[1]} →
      </button>
    </nav>
  );
}

/** Search in this log. */
import { setParams, useParam } from '../address/address.ts';
import { numberOf } from '../parts/count.ts';
import type { Matches } from './use-matches.ts';

export function LogSearch({ matches }: { matches: Matches }) {
  const [text = ''] = useParam('q');
  const { found, problem, move } = matches;
  const plus = found === null || found.totalIsExact ? '' : '+';
  return (
    <span class="log-search">
      <input
        type="search"
        aria-label="Search this log"
        placeholder='words "a phrase" level:error'
        value={text}
        onInput={(event) => setParams({ q: event.currentTarget.value }, { replace: true })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') void move(event.shiftKey ? -1 : 1);
        }}
      />
      {found !== null && (
        <span class="log-matches">
          <span role="status" aria-label="Matches">
            {found.cursors.length === 0
              ? 'no match'
              : `${found.at < 0 ? '–' : numberOf(found.at + 1)} of ${numberOf(found.total)}${plus}`}
          </span>
          <button type="button" onClick={() => void move(-1)} aria-label="Previous match">
            ↑
          </button>
          <button type="button" onClick={() => void move(1)} aria-label="Next match">
            ↓
          </button>
        </span>
      )}
      {problem !== null && <span class="problem">{problem}</span>}
    </span>
  );
}

/** How long a run took, whether everything that was reported of it is here, and if its host is out. */
import type { RunDetailsFragment } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { duration, moment } from '../parts/time.ts';
import { counted } from '../parts/count.ts';

export function RunFacts({ run }: { run: RunDetailsFragment }) {
  const now = useNow();
  const { completeness, outOfRotationSince, durationMs, startedAt, lastEventAt } = run;
  const { received, complete, missing } = completeness;
  return (
    <ul class="run-facts">
      {startedAt !== null && (
        <li>
          began <time dateTime={startedAt}>{moment(startedAt, now)}</time>
        </li>
      )}
      {durationMs !== null && <li>took {duration(durationMs)}</li>}
      <li>
        {counted(received, 'event')}
        {complete === true && ', none missing'}
      </li>
      {complete === false && (
        <li class="problem">
          missing{' '}
          {missing
            .map(({ writer, from, to }) => `${from === to ? from : `${from}–${to}`} of ${writer}`)
            .join(', ')}
        </li>
      )}
      {run.stale && lastEventAt !== null && (
        <li class="warning">silent for {duration(Math.max(0, now - Date.parse(lastEventAt)))}</li>
      )}
      {outOfRotationSince !== null && (
        <li class="warning">
          out of rotation for {duration(Math.max(0, now - Date.parse(outOfRotationSince)))}
        </li>
      )}
    </ul>
  );
}

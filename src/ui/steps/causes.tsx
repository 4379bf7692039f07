/**
 * Why steps failed, across deployments, and whether it is new. It stands with the steps, because
 * it answers for the same steps, facets and time as the figures above it, and the next question.
 */
import { addressOf } from '../address/address.ts';
import { useAnswer } from '../data/use-answer.ts';
import { counted, numberOf } from '../parts/count.ts';
import { QueryLink } from '../explore/query-link.tsx';
import type { Range } from '../explore/range.ts';
import {
  FailuresOverTimeDocument,
  type FailuresOverTimeQuery,
  type StepFilter,
} from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { moment } from '../parts/time.ts';
import { plainText } from '../log/text.ts';

/** The most groups of earlier failures that can be asked for. */
const BEFORE_MAX = 100;
const NAMED = 5;

type Cause = FailuresOverTimeQuery['failures'][number];

export function Causes({ filter, range }: { filter: StepFilter; range: Range }) {
  const { from, to: _, ...same } = filter;
  // Without a beginning nothing is before it.
  const before = { ...same, to: from ?? '1970-01-01T00:00:00.000Z' };
  const { data, error } = useAnswer(FailuresOverTimeDocument, { filter, before });
  const now = useNow();
  const known = new Map(data?.before.map(({ fingerprint, firstAt }) => [fingerprint, firstAt]));
  const since = range.from === null ? null : moment(range.from, now);
  return (
    <section class="section" aria-label="Failures">
      <div class="view-head">
        <h2>Failures</h2>
        <QueryLink document={FailuresOverTimeDocument} variables={{ filter, before }} />
      </div>
      {error !== null && (
        <p role="alert" class="problem">
          {error.message}
        </p>
      )}
      {data?.failures.length === 0 && <p>No step like this failed.</p>}
      {data !== null && data.failures.length > 0 && (
        <>
          <ul class="causes">
            {data.failures.map((cause) => (
              <CauseItem
                key={cause.fingerprint}
                cause={cause}
                knownSince={known.get(cause.fingerprint) ?? null}
                now={now}
              />
            ))}
          </ul>
          {since !== null && (
            <p class="hint">
              new: not seen before {since}
              {(data.before.length ?? 0) >= BEFORE_MAX &&
                ` among the ${BEFORE_MAX} most frequent causes until then`}
            </p>
          )}
        </>
      )}
    </section>
  );
}

interface CauseItemProps {
  cause: Cause;
  /** null: it is new. */
  knownSince: string | null;
  now: number;
}

function CauseItem({ cause, knownSince, now }: CauseItemProps) {
  const { taskId, hostName } = cause.sample;
  return (
    <li>
      <p>
        {knownSince === null ? (
          <b class="cause-new">new</b>
        ) : (
          <span class="cause-known">known since {moment(knownSince, now)}</span>
        )}{' '}
        <b>{counted(cause.hostCount, 'host')}</b>{' '}
        <a class="cause-said" href={addressOf(['tasks', taskId], { host: hostName })}>
          {plainText(cause.message)}
        </a>{' '}
        <span class="hint">{cause.steps.join(', ')}</span>
      </p>
      <p class="hint">
        {numberOf(cause.count)} × from {moment(cause.firstAt, now)} to {moment(cause.lastAt, now)} ·
        in{' '}
        {cause.tasks.slice(0, NAMED).map((task) => (
          <span key={task}>
            <a href={addressOf(['tasks', task])}>{task}</a>{' '}
          </span>
        ))}
        · on{' '}
        {cause.hosts.slice(0, NAMED).map((host) => (
          <span key={host}>
            <a href={addressOf(['hosts', host])}>{host}</a>{' '}
          </span>
        ))}
      </p>
    </li>
  );
}

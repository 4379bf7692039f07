/** One host: what it is, and every deployment to it, newest first. */
import { addressOf, useParam } from '../address/address.ts';
import { useAnswer } from '../data/use-answer.ts';
import { useViewQuery } from '../data/view-query.ts';
import { Facet } from '../deployments/facet.tsx';
import '../explore/explore.css';
import { shareOf } from '../explore/figures.ts';
import { counted, numberOf } from '../parts/count.ts';
import { ListProblem } from '../explore/list-problem.tsx';
import { Pager, usePage } from '../explore/pager.tsx';
import { HostHistoryDocument, type HostHistoryQuery, type RunStatus } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { Skeleton } from '../parts/skeleton.tsx';
import { statusWord } from '../parts/status.tsx';
import { moment } from '../parts/time.ts';
import { useTitle } from '../parts/title.ts';
import { HostRuns } from './host-runs.tsx';
import './host.css';

const STATUSES: readonly RunStatus[] = [
  'FAILED',
  'RUNNING',
  'SUCCEEDED',
  'CANCELLED',
  'NOT_RUN',
  'PENDING',
];

type HostFacts = NonNullable<HostHistoryQuery['host']>;

export function Host({ name }: { name: string }) {
  const { turned, ...page } = usePage(false);
  const chosen = useParam('status');
  const statuses = STATUSES.filter((status) => chosen.includes(status));
  const filter = statuses.length === 0 ? {} : { statuses };
  const variables = { name, filter, ...page };
  const { data, error, asking } = useAnswer(HostHistoryDocument, variables);
  useTitle(name);
  useViewQuery(HostHistoryDocument, variables);
  const host = data?.host ?? null;
  return (
    <>
      <p class="above">
        <a href="/hosts">Hosts</a>
      </p>
      <h1 class="host-name">{name}</h1>
      {error !== null && <ListProblem error={error} />}
      {data === null && error === null && <Skeleton />}
      {data !== null && host === null && (
        <p>
          Nothing was reported about a host of this name, or it is no longer kept.{' '}
          <a href={addressOf(['hosts'], { sort: 'name', q: name.slice(0, 3) })}>
            Hosts whose names begin so
          </a>
        </p>
      )}
      {host !== null && (
        <>
          <Facts host={host} />
          <section class="section" aria-label="Deployments to it">
            <h2>Deployments to it</h2>
            <div class="filters">
              <Facet name="Status" param="status" values={STATUSES} wordOf={statusWord} />
              <span class="shown">
                {numberOf(host.runs.totalCount ?? 0)}
                {!host.runs.totalCountIsExact && '+'} shown
              </span>
            </div>
            <div class={asking ? 'asking' : undefined}>
              {host.runs.nodes.length === 0 ? (
                <p>No deployment to it is like this.</p>
              ) : (
                <HostRuns host={name} runs={host.runs.nodes} />
              )}
            </div>
            <Pager
              info={host.runs.pageInfo}
              ascending={false}
              turned={turned}
              words={['Newer', 'Older']}
            />
          </section>
        </>
      )}
    </>
  );
}

function Facts({ host }: { host: HostFacts }) {
  const now = useNow();
  const { runs, failed, worstStep } = host.reliability;
  const labels = Object.entries(host.labels);
  return (
    <dl class="facts">
      <Fact name="Failed">
        <span class={failed > 0 ? 'some-failed' : undefined}>
          {numberOf(failed)} of {counted(runs, 'run')} ({shareOf(failed, runs)})
        </span>
        {worstStep !== null && <>, most in {worstStep}</>}
      </Fact>
      {host.lastSeenAt !== null && <Fact name="Last seen">{moment(host.lastSeenAt, now)}</Fact>}
      {host.firstSeenAt !== null && <Fact name="First seen">{moment(host.firstSeenAt, now)}</Fact>}
      {host.agent !== null && <Fact name="Agent">{host.agent}</Fact>}
      {labels.length > 0 && (
        <Fact name="Labels">
          {labels.map(([key, value]) => (
            <code key={key} class="label">
              {key}={String(value)}
            </code>
          ))}
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

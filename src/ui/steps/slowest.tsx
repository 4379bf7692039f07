/** What took longest: single steps, and the hosts whose steps are slow. */
import { addressOf } from '../address/address.ts';
import { useAnswer } from '../data/use-answer.ts';
import { shareOf, timeOf } from '../explore/figures.ts';
import { numberOf } from '../parts/count.ts';
import { QueryLink } from '../explore/query-link.tsx';
import { SlowestStepsDocument, type SlowestStepsQuery, type StepFilter } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { Status } from '../parts/status.tsx';
import { moment } from '../parts/time.ts';

const HOSTS = 10;
/** The server tells of so many hosts, those with most steps. */
const HOSTS_TOLD = 1_000;

export function Slowest({ filter }: { filter: StepFilter }) {
  const { data } = useAnswer(SlowestStepsDocument, { filter });
  if (data === null) return null;
  const hosts = [...data.hosts].sort((a, b) => (b.p95Ms ?? 0) - (a.p95Ms ?? 0)).slice(0, HOSTS);
  return (
    <div class="slowest">
      <section class="section" aria-label="Slowest steps">
        <div class="view-head">
          <h2>Slowest steps</h2>
          <QueryLink document={SlowestStepsDocument} variables={{ filter }} />
        </div>
        <SlowestSteps steps={data.steps.nodes} />
      </section>
      <section class="section" aria-label="Slowest hosts">
        <h2>Slowest hosts</h2>
        {data.hosts.length === HOSTS_TOLD && (
          <p class="hint">
            Among the {numberOf(HOSTS_TOLD)} hosts with most steps; where there are more, a facet or
            a shorter time has others.
          </p>
        )}
        <SlowestHosts hosts={hosts} />
      </section>
    </div>
  );
}

function SlowestSteps({ steps }: { steps: SlowestStepsQuery['steps']['nodes'] }) {
  const now = useNow();
  return (
    <div class="wide">
      <table class="list" aria-label="Slowest steps">
        <thead>
          <tr>
            <th scope="col" class="number">
              Took
            </th>
            <th scope="col">Step</th>
            <th scope="col">Host</th>
            <th scope="col">Deployment</th>
            <th scope="col">Status</th>
            <th scope="col">Began</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step.id}>
              <td class="number">{timeOf(step.durationMs)}</td>
              <td class="name">{step.name}</td>
              <td class="name">
                <a href={addressOf(['tasks', step.taskId], { host: step.hostName })}>
                  {step.hostName}
                </a>
              </td>
              <td class="name">
                <a href={addressOf(['tasks', step.taskId])}>{step.taskId}</a>
              </td>
              <td>
                <Status status={step.status} />
              </td>
              <td class="nowrap">{step.startedAt !== null && moment(step.startedAt, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SlowestHosts({ hosts }: { hosts: SlowestStepsQuery['hosts'] }) {
  return (
    <div class="wide">
      <table class="list" aria-label="Slowest hosts">
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col" class="number">
              p95
            </th>
            <th scope="col" class="number">
              p50
            </th>
            <th scope="col" class="number">
              Longest
            </th>
            <th scope="col" class="number">
              Steps
            </th>
            <th scope="col" class="number">
              Failed
            </th>
          </tr>
        </thead>
        <tbody>
          {hosts.map(({ host, count, failed, p50Ms, p95Ms, maxMs }) => (
            <tr key={host}>
              <td class="name">
                {host !== null && <a href={addressOf(['hosts', host])}>{host}</a>}
              </td>
              <td class="number">{timeOf(p95Ms)}</td>
              <td class="number">{timeOf(p50Ms)}</td>
              <td class="number">{timeOf(maxMs)}</td>
              <td class="number">{numberOf(count)}</td>
              <td class="number">{shareOf(failed, count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

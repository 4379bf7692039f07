/** Hosts with how often deployments to them fail. */
import { addressOf } from '../address/address.ts';
import { shareOf } from '../explore/figures.ts';
import { numberOf } from '../parts/count.ts';
import type { HostsQuery } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { moment } from '../parts/time.ts';

export function HostTable({ rows }: { rows: HostsQuery['hosts']['nodes'] }) {
  const now = useNow();
  return (
    <div class="wide">
      <table class="list" aria-label="Hosts">
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col" class="number">
              Runs
            </th>
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              Rate
            </th>
            <th scope="col">Fails most in</th>
            <th scope="col" class="extra">
              Agent
            </th>
            <th scope="col" class="extra">
              Last seen
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, agent, lastSeenAt, reliability: { runs, failed, worstStep } }) => (
            <tr key={name}>
              <td class="name">
                <a href={addressOf(['hosts', name])}>{name}</a>
              </td>
              <td class="number">{numberOf(runs)}</td>
              <td class={failed > 0 ? 'number some-failed' : 'number'}>{numberOf(failed)}</td>
              <td class="number">{shareOf(failed, runs)}</td>
              <td class="name">{worstStep}</td>
              <td class="name extra">{agent}</td>
              <td class="nowrap extra">{lastSeenAt !== null && moment(lastSeenAt, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

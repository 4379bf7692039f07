/** Why hosts failed: equal causes together, the largest first. */
import { HostLink } from '../board/board.tsx';
import type { FailureCauseFragment } from '../gen/graphql.ts';

/** Hosts of a cause that are one click away. */
const NAMED = 5;

export function Failures({ id, groups }: { id: string; groups: readonly FailureCauseFragment[] }) {
  return (
    <section aria-label="Failures">
      <h2>Failures</h2>
      {groups.length === 0 ? (
        <p class="none">None.</p>
      ) : (
        <ul class="failures">
          {groups.map((group) => (
            <li key={group.fingerprint}>
              <b>
                {group.hostCount.toLocaleString('en')} {group.hostCount === 1 ? 'host' : 'hosts'}
              </b>{' '}
              <span class="cause-text">{group.message}</span>{' '}
              <span class="cause-steps">{group.steps.join(', ')}</span>{' '}
              <span class="cause-hosts">
                {group.hosts.slice(0, NAMED).map((host) => (
                  <HostLink key={host} id={id} host={host} />
                ))}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

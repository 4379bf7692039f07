/** Why hosts failed: equal causes together, the largest first. */
import { addressOf } from '../address/address.ts';
import { HostLink } from '../board/host-link.tsx';
import type { FailureCauseFragment } from '../gen/graphql.ts';
import { Skeleton } from '../parts/skeleton.tsx';
import { counted } from '../parts/count.ts';
import { plainText } from '../log/text.ts';

/** Hosts of a cause that are one click away. */
const NAMED = 5;
/** Causes that are shown; the summary asks for one more, to know whether there are more. */
const CAUSES = 50;

function failedAddress(id: string): string {
  return addressOf(['tasks', id], { show: 'failed' });
}

interface FailuresProps {
  id: string;
  /** null: not known yet. */
  groups: readonly FailureCauseFragment[] | null;
  /** They are still to come. */
  waiting: boolean;
}

export function Failures({ id, groups, waiting }: FailuresProps) {
  return (
    <section aria-label="Failures">
      <h2>Failures</h2>
      {waiting && <Skeleton />}
      {groups?.length === 0 && <p class="none">None.</p>}
      {groups !== null && groups.length > 0 && (
        <ul class="failures">
          {groups.slice(0, CAUSES).map((group) => (
            <li key={group.fingerprint}>
              <b>{counted(group.hostCount, 'host')}</b>
              <span
                class="cause-text"
                title={plainText(group.sample.error?.message ?? group.message)}
              >
                {plainText(group.message)}
              </span>
              <span class="cause-hosts">
                <span class="cause-steps">{group.steps.join(', ')}</span>
                {group.hosts.slice(0, NAMED).map((host) => (
                  <HostLink key={host} id={id} host={host} />
                ))}
                {group.hostCount > NAMED && (
                  <span class="more">
                    and {(group.hostCount - NAMED).toLocaleString('en')} more
                  </span>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      {groups !== null && groups.length > CAUSES && (
        <p class="none">
          These are the {CAUSES} largest causes; the <a href={failedAddress(id)}>board</a> has all
          hosts that failed.
        </p>
      )}
    </section>
  );
}

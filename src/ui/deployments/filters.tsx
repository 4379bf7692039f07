/** Which deployments: within a facet any of its values, across facets all of them. */
import { useMemo, useState } from 'preact/hooks';
import { setParams, useParam } from '../address/address.ts';
import { ask } from '../data/ask.ts';
import {
  type DeploymentFacetsQuery,
  DeploymentFacetsDocument,
  type TaskFilter,
  type TaskStatus,
} from '../gen/graphql.ts';
import { statusWord } from '../parts/status.tsx';
import { Facet } from './facet.tsx';

const STATUSES: readonly TaskStatus[] = [
  'RUNNING',
  'FAILED',
  'PARTIAL',
  'SUCCEEDED',
  'PENDING',
  'CANCELLED',
];
const MINUTE = 60_000;
const SINCE: Readonly<Record<string, { name: string; ms: number }>> = {
  '1h': { name: 'last hour', ms: 60 * MINUTE },
  '24h': { name: 'last 24 h', ms: 24 * 60 * MINUTE },
  '7d': { name: 'last 7 days', ms: 7 * 24 * 60 * MINUTE },
};

/** From the address. */
export function useDeploymentFilter(): TaskFilter {
  const given = useParam('status');
  const statuses = STATUSES.filter((status) => given.includes(status));
  const services = useParam('service');
  const environments = useParam('environment');
  const createdBy = useParam('by');
  const [search = ''] = useParam('q');
  const [since = ''] = useParam('since');
  // As of when it was chosen: a range that moves would be another list each moment.
  const from = useMemo(() => {
    const ms = SINCE[since]?.ms;
    return ms === undefined ? null : new Date(Date.now() - ms).toISOString();
  }, [since]);
  return {
    ...(statuses.length > 0 && { statuses }),
    ...(services.length > 0 && { services: [...services] }),
    ...(environments.length > 0 && { environments: [...environments] }),
    ...(createdBy.length > 0 && { createdBy: [...createdBy] }),
    ...(search.trim() !== '' && { search }),
    ...(from !== null && { from }),
  };
}

type Known = readonly DeploymentFacetsQuery['tasks']['nodes'][number][];

interface FiltersProps {
  /** How many there are, in words. */
  shown: string;
  /** Those in sight: their values can be chosen, also where searches do not find them yet. */
  rows: Known;
}

export function Filters({ shown, rows }: FiltersProps) {
  const [search = ''] = useParam('q');
  const [since = ''] = useParam('since');
  const [known, setKnown] = useState<Known>([]);
  // What can be chosen does not depend on what is chosen; asked for when somebody chooses.
  const learn = (): void => {
    ask(DeploymentFacetsDocument, {}).then(
      ({ tasks }) => setKnown(tasks.nodes),
      () => {},
    );
  };
  const values = (pick: (row: Known[number]) => string | null): string[] =>
    [...new Set([...known, ...rows].map(pick).filter((value) => value !== null))].sort();
  return (
    <div class="filters" role="search">
      <Facet name="Status" param="status" values={STATUSES} wordOf={statusWord} />
      <Facet name="Service" param="service" values={values((row) => row.service)} onOpen={learn} />
      <Facet
        name="Environment"
        param="environment"
        values={values((row) => row.environment)}
        onOpen={learn}
      />
      <Facet name="By" param="by" values={values((row) => row.createdBy)} onOpen={learn} />
      <select
        aria-label="Began"
        value={since}
        onChange={(event) => setParams({ since: event.currentTarget.value }, { replace: true })}
      >
        <option value="">any time</option>
        {Object.entries(SINCE).map(([value, { name }]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <input
        type="search"
        aria-label="Search deployments"
        placeholder="id, title, service, version"
        value={search}
        onInput={(event) => setParams({ q: event.currentTarget.value }, { replace: true })}
      />
      <span class="shown">{shown}</span>
    </div>
  );
}

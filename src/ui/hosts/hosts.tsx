/** Hosts by reliability: where deployments fail most, or all of them by name. */
import { setList, useParam } from '../address/address.ts';
import { useAnswer } from '../data/use-answer.ts';
import { useViewQuery } from '../data/view-query.ts';
import '../explore/explore.css';
import { ListProblem } from '../explore/list-problem.tsx';
import { Pager, usePage } from '../explore/pager.tsx';
import { type Range, useRange } from '../explore/range.ts';
import { RangeChoice } from '../explore/range-choice.tsx';
import { HostsDocument, HostsThatFailDocument } from '../gen/graphql.ts';
import { Skeleton } from '../parts/skeleton.tsx';
import { useTitle } from '../parts/title.ts';
import { HostTable } from './host-table.tsx';
import { counted, numberOf } from '../parts/count.ts';

const TYPING_MS = 250;
/** The server tells of so many that fail at most. */
const HOSTS_TOLD = 1_000;
/** How many of them are shown. */
const FAILING = 50;

export function Hosts() {
  const [prefix = ''] = useParam('q');
  const [sort] = useParam('sort');
  const range = useRange('30d', prefix);
  const byName = sort === 'name';
  useTitle('Hosts');
  return (
    <>
      <h1>Hosts</h1>
      <div class="filters">
        <input
          type="search"
          aria-label="Search hosts"
          placeholder="name begins with"
          value={prefix}
          onInput={({ currentTarget: { value } }) => setList({ q: value }, { replace: true })}
        />
        <RangeChoice range={range} />
        <button type="button" aria-pressed={!byName} onClick={() => setList({ sort: null })}>
          Most failures
        </button>
        <button type="button" aria-pressed={byName} onClick={() => setList({ sort: 'name' })}>
          All by name
        </button>
      </div>
      {byName ? (
        <AllHosts prefix={prefix} range={range} />
      ) : (
        <FailingHosts prefix={prefix} range={range} />
      )}
    </>
  );
}

interface HostsProps {
  prefix: string;
  range: Range;
}

/** The server lists hosts by name: those that fail most are found by the steps that failed there. */
function FailingHosts({ prefix, range }: HostsProps) {
  const filter = {
    statuses: ['FAILED' as const, 'TIMED_OUT' as const],
    ...(prefix !== '' && { hosts: [`${prefix}*`] }),
    ...(range.from !== null && { from: range.from }),
    ...(range.to !== null && { to: range.to }),
  };
  const groups = useAnswer(HostsThatFailDocument, { filter }, TYPING_MS);
  const failed = [...(groups.data?.stepStats ?? [])].sort((a, b) => b.count - a.count);
  const names = failed.slice(0, FAILING).flatMap(({ host }) => (host === null ? [] : [host]));
  const variables = hostsVariables(range, { names }, { first: FAILING });
  const { data, error } = useAnswer(HostsDocument, names.length === 0 ? null : variables);
  useViewQuery(HostsThatFailDocument, { filter });
  const rows = (data?.hosts.nodes ?? [])
    .filter(({ name, reliability }) => names.includes(name) && reliability.failed > 0)
    .sort((a, b) => b.reliability.failed - a.reliability.failed || rate(b) - rate(a));
  const problem = groups.error ?? error;
  if (problem !== null) return <ListProblem error={problem} />;
  if (groups.data === null || (names.length > 0 && data === null)) return <Skeleton />;
  if (names.length === 0) {
    return (
      <p>
        No step failed on a host {prefix !== '' && <>whose name begins with {prefix} </>}in the{' '}
        {range.name}.{' '}
        <button type="button" onClick={() => setList({ sort: 'name' })}>
          All hosts by name
        </button>
      </p>
    );
  }
  return (
    <>
      <HostTable rows={rows} />
      <p class="hint">
        {failed.length > FAILING &&
          `The ${FAILING} with the most failed steps of ${numberOf(failed.length)}${failed.length < HOSTS_TOLD ? '' : '+'}. `}
        Runs that began in the {range.name}.
      </p>
    </>
  );
}

function AllHosts({ prefix, range }: HostsProps) {
  const { turned, ...page } = usePage(false);
  const filter = prefix === '' ? {} : { namePrefix: prefix };
  const variables = hostsVariables(range, filter, page);
  const { data, error } = useAnswer(HostsDocument, variables, TYPING_MS);
  useViewQuery(HostsDocument, variables);
  if (error !== null) return <ListProblem error={error} />;
  if (data === null) return <Skeleton />;
  const { nodes, pageInfo, totalCount, totalCountIsExact } = data.hosts;
  return (
    <>
      {nodes.length === 0 ? <p>No host has a name like this.</p> : <HostTable rows={nodes} />}
      <Pager info={pageInfo} ascending={false} turned={turned} words={['Previous', 'Next']} />
      <p class="hint">
        {totalCountIsExact
          ? counted(totalCount ?? 0, 'host')
          : `${numberOf(totalCount ?? 0)}+ hosts`}
        .
      </p>
    </>
  );
}

interface Page {
  first: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

function hostsVariables(
  range: Range,
  filter: { names?: string[]; namePrefix?: string },
  page: Page,
) {
  const { first, after = null, last = null, before = null } = page;
  return { filter, from: range.from, to: range.to, first, after, last, before };
}

function rate({ reliability }: { reliability: { failureRate: number | null } }): number {
  return reliability.failureRate ?? 0;
}

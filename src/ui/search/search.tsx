/** The log across deployments: what is searched for, when it occurred, and every line of it. */
import { setList } from '../address/address.ts';
import { useAnswer } from '../data/use-answer.ts';
import { useViewQuery } from '../data/view-query.ts';
import { Facet } from '../deployments/facet.tsx';
import { ServiceFacets } from '../explore/facets.tsx';
import { isPageGone, ListProblem } from '../explore/list-problem.tsx';
import { Pager, usePage } from '../explore/pager.tsx';
import { longerThan, type Range, SPANS } from '../explore/range.ts';
import { RangeChoice } from '../explore/range-choice.tsx';
import { SearchEventsDocument } from '../gen/graphql.ts';
import '../explore/explore.css';
import { Skeleton } from '../parts/skeleton.tsx';
import { useTitle } from '../parts/title.ts';
import { Histogram } from './histogram.tsx';
import { Results } from './results.tsx';
import './search.css';
import { SearchBox } from './search-box.tsx';
import { LEVELS, useSearchFilter } from './search-filter.ts';
import { counted, numberOf } from '../parts/count.ts';

const TYPING_MS = 250;

export function Search() {
  const { filter, range } = useSearchFilter();
  const { turned, ...page } = usePage(true);
  const variables = { filter, ...page };
  const { data, error, asking } = useAnswer(SearchEventsDocument, variables, TYPING_MS);
  useTitle(filter.search === undefined ? 'Search' : `Search: ${filter.search}`);
  useViewQuery(SearchEventsDocument, variables);
  const list = data?.events ?? null;
  return (
    <>
      <h1>Search</h1>
      <SearchBox error={error !== null && isPageGone(error) ? null : error} />
      <div class="filters">
        <RangeChoice range={range} />
        <ServiceFacets from={range.from} />
        <Facet name="Level" param="level" values={LEVELS} />
        <span class="shown" role="status" aria-label="Found">
          {list !== null && error === null && countOf(list)}
        </span>
      </div>
      <Histogram filter={{ ...filter, to: range.until }} />
      {error !== null && isPageGone(error) && <ListProblem error={error} />}
      {list !== null && error === null && (
        <div class={asking ? 'asking' : undefined}>
          {list.edges.length === 0 ? (
            <NothingFound range={range} turned={turned} />
          ) : (
            <Results found={list.edges.toReversed()} search={filter.search ?? ''} />
          )}
          <Pager info={list.pageInfo} ascending turned={turned} words={['Newer', 'Older']} />
        </div>
      )}
      {list === null && error === null && <Skeleton />}
    </>
  );
}

function countOf(list: { totalCount: number | null; totalCountIsExact: boolean }): string {
  const { totalCount, totalCountIsExact } = list;
  if (totalCount === null) return '';
  return totalCountIsExact ? counted(totalCount, 'line') : `${numberOf(totalCount)}+ lines`;
}

function NothingFound({ range, turned }: { range: Range; turned: boolean }) {
  if (turned) return <p>No more lines like this are here.</p>;
  const longer = longerThan(range.last);
  const where = range.last === null ? 'between these moments' : `in the ${range.name}`;
  return (
    <p>
      Nothing found {where}.{' '}
      {longer !== null && (
        <button type="button" onClick={() => setList({ from: null, to: null, last: longer })}>
          Look further back: {SPANS[longer]?.name}
        </button>
      )}
    </p>
  );
}

import { graphiqlAddress, viewQueries } from '../data/view-query.ts';
import { useCell } from '../parts/cell.ts';

/** To GraphiQL, with the query behind what is shown. */
export function GraphiqlLink() {
  const queries = useCell(viewQueries);
  return (
    <a href={graphiqlAddress(queries)} data-leave title="The query behind this view, in GraphiQL">
      GraphiQL
    </a>
  );
}

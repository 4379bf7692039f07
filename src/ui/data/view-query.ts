/** The query behind what is shown, for whoever wants to ask more: GraphiQL opens with it. */
import { useEffect } from 'preact/hooks';
import type { TypedDocumentString } from '../gen/graphql.ts';
import { Cell } from '../parts/cell.ts';

interface ViewQuery {
  query: string;
  variables: object;
  /** It is of something that lies before the view. */
  inFront?: boolean;
}

/** Of all that is shown, in the order in which it came. */
export const viewQueries = new Cell<readonly ViewQuery[]>([]);

export function useViewQuery<Result, Variables extends object>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  inFront = false,
): void {
  const key = JSON.stringify(variables);
  useEffect(() => {
    const mine = {
      query: document.toString().trim(),
      variables: JSON.parse(key) as object,
      inFront,
    };
    viewQueries.value = [...viewQueries.value, mine];
    return () => {
      viewQueries.value = viewQueries.value.filter((one) => one !== mine);
    };
  }, [document, key]);
}

export function graphiqlAddress(queries: readonly ViewQuery[]): string {
  const query = queries.findLast(({ inFront }) => inFront === true) ?? queries.at(-1);
  if (query === undefined) return '/graphiql';
  const params = new URLSearchParams({
    query: query.query,
    variables: JSON.stringify(query.variables, null, 2),
  });
  return `/graphiql?${params}`;
}

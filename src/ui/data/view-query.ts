/** The query behind what is shown, for whoever wants to ask more: GraphiQL opens with it. */
import { useEffect } from 'preact/hooks';
import type { TypedDocumentString } from '../gen/graphql.ts';
import { Cell } from '../parts/cell.ts';

interface ViewQuery {
  query: string;
  variables: object;
}

/** Of what is in front, last. */
export const viewQueries = new Cell<readonly ViewQuery[]>([]);

export function useViewQuery<Result, Variables extends object>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): void {
  const key = JSON.stringify(variables);
  useEffect(() => {
    const mine = { query: document.toString().trim(), variables: JSON.parse(key) as object };
    viewQueries.value = [...viewQueries.value, mine];
    return () => {
      viewQueries.value = viewQueries.value.filter((one) => one !== mine);
    };
  }, [document, key]);
}

export function graphiqlAddress(queries: readonly ViewQuery[]): string {
  const query = queries.at(-1);
  if (query === undefined) return '/graphiql';
  const params = new URLSearchParams({
    query: query.query,
    variables: JSON.stringify(query.variables, null, 2),
  });
  return `/graphiql?${params}`;
}

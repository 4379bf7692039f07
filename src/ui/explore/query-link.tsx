/** The question behind a view, to go on with in GraphiQL. */
import type { TypedDocumentString } from '../gen/graphql.ts';

interface QueryLinkProps<Variables> {
  document: TypedDocumentString<unknown, Variables>;
  variables: Variables;
}

export function QueryLink<Variables>({ document, variables }: QueryLinkProps<Variables>) {
  const params = new URLSearchParams({
    query: document.toString().trim(),
    variables: JSON.stringify(variables, null, 2),
  });
  return (
    <a class="query-link" href={`/graphiql?${params}`} data-leave>
      Query in GraphiQL
    </a>
  );
}

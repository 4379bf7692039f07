/** The question behind a part of a view; that of the view itself is behind the link above all views. */
import { graphiqlAddress } from '../data/view-query.ts';
import type { TypedDocumentString } from '../gen/graphql.ts';

interface QueryLinkProps<Variables> {
  document: TypedDocumentString<unknown, Variables>;
  variables: Variables;
}

export function QueryLink<Variables extends object>({
  document,
  variables,
}: QueryLinkProps<Variables>) {
  const query = { query: document.toString().trim(), variables };
  return (
    <a class="query-link" href={graphiqlAddress([query])} data-leave>
      Query in GraphiQL
    </a>
  );
}

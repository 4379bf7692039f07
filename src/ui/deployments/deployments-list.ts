/** The list of deployments: a first page, more on demand, and every change from then on. */
import { useEffect, useState } from 'preact/hooks';
import { type AskError, ask } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import {
  DeploymentsChangedDocument,
  DeploymentsDocument,
  type DeploymentRowFragment,
  type TaskFilter,
} from '../gen/graphql.ts';

const PAGE = 50;

export interface DeploymentsList {
  /** Newest first; null: not known yet. */
  rows: readonly DeploymentRowFragment[] | null;
  total: number | null;
  totalIsExact: boolean;
  error: AskError | null;
  /** null: there are no more. */
  more: (() => void) | null;
}

/** `filter` as JSON, so that equal filters are one. */
export function useDeployments(filterKey: string): DeploymentsList {
  const [list, setList] = useState<DeploymentsList>(EMPTY);
  useEffect(() => {
    const filter = JSON.parse(filterKey) as TaskFilter;
    const leaving = new AbortController();
    const rows = new Map<string, DeploymentRowFragment>();
    let shown: DeploymentsList = EMPTY;

    function show(changes: Partial<DeploymentsList>): void {
      shown = { ...shown, ...changes, rows: newestFirst(rows.values()) };
      setList(shown);
    }
    async function page(after: string | null): Promise<void> {
      const variables = { filter, first: PAGE, after };
      const { tasks } = await ask(DeploymentsDocument, variables, leaving.signal);
      // What is live is newer than the page that was asked for before it came.
      for (const row of tasks.nodes) if (!rows.has(row.id)) rows.set(row.id, row);
      const { endCursor, hasNextPage } = tasks.pageInfo;
      show({
        total: tasks.totalCount,
        totalIsExact: tasks.totalCountIsExact,
        error: null,
        more: hasNextPage && endCursor !== null ? () => void load(endCursor) : null,
      });
    }
    async function load(after: string | null): Promise<void> {
      try {
        await page(after);
      } catch (error) {
        if (!leaving.signal.aborted) show({ error: error as AskError });
      }
    }

    setList(EMPTY);
    // Followed first, then asked: nothing can happen in between.
    const stop = follow({
      document: DeploymentsChangedDocument,
      variables: { filter, after: null },
      cursorOf: ({ tasksChanged }) => tasksChanged.cursor,
      onResult({ tasksChanged }) {
        for (const row of tasksChanged.tasks) rows.set(row.id, row);
        if (tasksChanged.tasks.length > 0 && shown.rows !== null) show({});
      },
      onError: (error) => show({ error }),
      onExpired: () => void load(null),
    });
    void load(null);
    return () => {
      stop();
      leaving.abort();
    };
  }, [filterKey]);
  return list;
}

const EMPTY: DeploymentsList = {
  rows: null,
  total: null,
  totalIsExact: true,
  error: null,
  more: null,
};

function newestFirst(rows: Iterable<DeploymentRowFragment>): DeploymentRowFragment[] {
  return [...rows].sort(
    (a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || (a.id < b.id ? -1 : 1),
  );
}

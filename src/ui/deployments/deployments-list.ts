/** The list of deployments: a first page, more on demand, and every change from then on. */
import { useEffect, useState } from 'preact/hooks';
import { again } from '../data/again.ts';
import { type AskError, ask } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import { fellBehind, resume, useHeld } from '../data/pause.ts';
import {
  DeploymentsChangedDocument,
  DeploymentsDocument,
  type DeploymentRowFragment,
  type TaskFilter,
} from '../gen/graphql.ts';

const PAGE = 50;
/** Between two drawings. */
const DRAW_MS = 200;

export interface DeploymentsList {
  /** Newest first; null: not known yet. */
  rows: readonly DeploymentRowFragment[] | null;
  total: number;
  totalIsExact: boolean;
  error: AskError | null;
  /** null: there are no more. */
  more: (() => void) | null;
}

const EMPTY: DeploymentsList = {
  rows: null,
  total: 0,
  totalIsExact: true,
  error: null,
  more: null,
};

/** `filter` as JSON, so that equal filters are one. */
export function useDeployments(filterKey: string): DeploymentsList {
  const [list, setList] = useState<DeploymentsList>(EMPTY);
  useEffect(() => {
    const filter = JSON.parse(filterKey) as TaskFilter;
    const leaving = new AbortController();
    const rows = new Map<string, DeploymentRowFragment>();
    /** Those that were told live: they are newer than a page. */
    const live = new Set<string>();
    /** A page that is asked for from now on lacks nothing that was stored before the list was followed. */
    let caughtUp = false;
    /** Counts first pages: what was asked for before the latest one no longer matters. */
    let pages = 0;
    let shown: DeploymentsList = EMPTY;
    let timer: ReturnType<typeof setTimeout> | null = null;
    /** Where it failed; null: it did not. */
    let failed: { after: string | null } | null = null;
    /** Older ones are on pages that are not here. */
    let oldest = Number.NEGATIVE_INFINITY;

    function show(changes: Partial<DeploymentsList>): void {
      shown = { ...shown, ...changes };
      timer ??= setTimeout(() => {
        timer = null;
        if (shown.rows !== null) shown = { ...shown, rows: newestFirst(rows.values()) };
        setList(shown);
      }, DRAW_MS);
    }
    function showNow(changes: Partial<DeploymentsList>): void {
      shown = { ...shown, ...changes };
      setList(shown);
    }
    async function load(after: string | null): Promise<void> {
      const page = after === null ? ++pages : pages;
      try {
        const variables = { filter, first: PAGE, after };
        const { tasks } = await ask(DeploymentsDocument, variables, leaving.signal);
        if (page !== pages) return;
        failed = null;
        for (const row of tasks.nodes) if (!live.has(row.id)) rows.set(row.id, row);
        const { endCursor, hasNextPage } = tasks.pageInfo;
        const last = tasks.nodes.at(-1);
        oldest = hasNextPage && last ? Date.parse(last.createdAt) : Number.NEGATIVE_INFINITY;
        showNow({
          rows: newestFirst(rows.values()),
          total: tasks.totalCount ?? rows.size,
          totalIsExact: tasks.totalCountIsExact,
          error: null,
          more: hasNextPage && endCursor !== null ? () => void load(endCursor) : null,
        });
      } catch (error) {
        if (leaving.signal.aborted || page !== pages) return;
        failed = { after };
        showNow({ error: error as AskError });
      }
    }
    function take(changed: readonly DeploymentRowFragment[]): void {
      let { total } = shown;
      for (const row of changed) {
        live.add(row.id);
        const had = rows.has(row.id);
        const fits = matches(row, filter);
        if (had && !fits) {
          rows.delete(row.id);
          total--;
        } else if (had || (fits && Date.parse(row.createdAt) >= oldest)) {
          rows.set(row.id, row);
          if (!had) total++;
        }
      }
      fellBehind(changed.length);
      show({ total });
    }

    setList(EMPTY);
    // Who asks for others wants to see them.
    resume();
    // Followed first, then asked: nothing can happen in between. Asked at once, and again when the
    // searches behind a page show all that was there.
    const stop = follow({
      document: DeploymentsChangedDocument,
      variables: { filter, after: null },
      cursorOf: ({ tasksChanged }) => tasksChanged.cursor,
      onResult({ tasksChanged: { tasks, ...batch } }) {
        if (tasks.length > 0) take(tasks);
        if (batch.caughtUp && !caughtUp) void load(null);
        caughtUp ||= batch.caughtUp;
      },
      onError: (error) => showNow({ error }),
      onExpired() {
        live.clear();
        caughtUp = false;
        void load(null);
      },
    });
    const stopAgain = again.listen(() => {
      if (failed !== null) void load(failed.after);
    });
    void load(null);
    return () => {
      stop();
      stopAgain();
      if (timer !== null) clearTimeout(timer);
      leaving.abort();
    };
  }, [filterKey]);
  const held = useHeld(list.rows);
  return { ...list, rows: list.rows === null ? null : held };
}

/** As far as a row can tell: words and times were the server's to judge. */
function matches(row: DeploymentRowFragment, filter: TaskFilter): boolean {
  const among = (values: readonly string[] | null | undefined, value: string | null): boolean =>
    values == null || values.length === 0 || (value !== null && values.includes(value));
  return (
    among(filter.statuses, row.status) &&
    among(filter.services, row.service) &&
    among(filter.environments, row.environment) &&
    among(filter.createdBy, row.createdBy)
  );
}

function newestFirst(rows: Iterable<DeploymentRowFragment>): DeploymentRowFragment[] {
  return [...rows].sort(
    (a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || (a.id < b.id ? -1 : 1),
  );
}

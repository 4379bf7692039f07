/** The list of deployments: a first page, more on demand, and every change from then on. */
import { useEffect, useState } from 'preact/hooks';
import { again } from '../data/again.ts';
import { type AskError, ask } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import { fellBehind, paused, resume } from '../data/pause.ts';
import {
  DeploymentsChangedDocument,
  DeploymentsCountDocument,
  DeploymentsDocument,
  type DeploymentRowFragment,
  type TaskFilter,
} from '../gen/graphql.ts';
import { DeploymentRows, PAGE } from './deployment-rows.ts';
import { useHeldRows } from './use-held-rows.ts';

/** Between two drawings. */
const DRAW_MS = 200;
/** Between a change of one that is not here and the question how many there are. */
const COUNT_MS = 2_000;

export interface DeploymentsList {
  /** Newest first; null: not known yet. */
  rows: readonly DeploymentRowFragment[] | null;
  total: number;
  totalIsExact: boolean;
  error: AskError | null;
  /** null: there are no more. */
  more: (() => void) | null;
  /** Counts the pages that somebody asked for and got. */
  turned: number;
  /** Counts histories: after a restore of the store the rows are others. */
  history: number;
  /** In ms: of older ones nothing is known. */
  end: number;
}

const EMPTY: DeploymentsList = {
  rows: null,
  total: 0,
  totalIsExact: true,
  error: null,
  more: null,
  turned: 0,
  history: 0,
  end: Number.NEGATIVE_INFINITY,
};

/** `filter` as JSON, so that equal filters are one. */
export function useDeployments(filterKey: string): DeploymentsList {
  const [list, setList] = useState<DeploymentsList>(EMPTY);
  useEffect(() => {
    const filter = JSON.parse(filterKey) as TaskFilter;
    const leaving = new AbortController();
    const rows = new DeploymentRows(filter);
    /** A page that is asked for from now on lacks nothing that was stored before the list was followed. */
    let caughtUp = false;
    /** Counts first pages: what was asked for before the latest one no longer matters. */
    let pages = 0;
    let shown: DeploymentsList = EMPTY;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let countTimer: ReturnType<typeof setTimeout> | null = null;
    /** What failed, to be done again; null: nothing did. */
    let failed: (() => void) | null = null;
    /** What Show more does. */
    let next: () => void = () => {};
    /** Pages behind the first that are on their way. */
    let turning = 0;
    let beginsAgain = false;
    /** Counts what was taken: an answer may be older. */
    let taken = 0;
    let histories = 0;
    /** Of a page, and of following the list. */
    const problems: Record<'page' | 'following', AskError | null> = { page: null, following: null };

    function tell(of: keyof typeof problems, error: AskError | null): void {
      problems[of] = error;
      showNow({ error: problems.page ?? problems.following });
    }
    function show(changes: Partial<DeploymentsList>): void {
      shown = { ...shown, ...changes };
      timer ??= setTimeout(() => {
        timer = null;
        if (shown.rows !== null) shown = { ...shown, rows: rows.newestFirst() };
        setList(shown);
      }, DRAW_MS);
    }
    function showNow(changes: Partial<DeploymentsList>): void {
      shown = { ...shown, ...changes };
      setList(shown);
    }
    /** `turned`: somebody asked for it. */
    async function load(after: string | null, first = PAGE, turned = false): Promise<void> {
      const page = after === null ? ++pages : pages;
      if (after !== null) turning++;
      try {
        const variables = { filter, first, after };
        const { tasks } = await ask(DeploymentsDocument, variables, leaving.signal);
        if (page !== pages) return;
        failed = null;
        const { endCursor, hasNextPage } = tasks.pageInfo;
        const answered = { nodes: tasks.nodes, hasNextPage };
        if (after === null) rows.begin(answered);
        else rows.append(answered);
        if (endCursor !== null) next = () => void load(endCursor, PAGE, true);
        problems.page = null;
        showNow({
          error: problems.following,
          rows: rows.newestFirst(),
          total: tasks.totalCount ?? rows.size,
          totalIsExact: tasks.totalCountIsExact,
          more: hasNextPage ? more : null,
          turned: shown.turned + (turned ? 1 : 0),
          history: histories,
          end: rows.end,
        });
      } catch (error) {
        if (leaving.signal.aborted || page !== pages) return;
        failed = after === null ? () => void load(null, first, turned) : more;
        tell('page', error as AskError);
      } finally {
        if (after !== null) turning--;
        if (beginsAgain && turning === 0) beginAgain();
      }
    }
    /** With as many as somebody asked for by now. */
    function beginAgain(): void {
      beginsAgain = turning > 0;
      if (!beginsAgain) void load(null, rows.wanted);
    }
    function more(): void {
      next();
    }
    function take(changed: readonly DeploymentRowFragment[]): void {
      const { added, elsewhere } = rows.take(changed);
      taken++;
      if (elsewhere) countSoon();
      fellBehind(changed.length);
      show({ total: shown.total + added });
      // Not under a page that is on its way, nor under somebody who may want what is older next.
      if (turning === 0 && paused.value === null && rows.cut()) {
        const first = rows.wanted + PAGE;
        next = () => void load(null, first, true);
        show({ more, end: rows.end });
      }
    }
    function countSoon(): void {
      countTimer ??= setTimeout(() => {
        countTimer = null;
        void count();
      }, COUNT_MS);
    }
    async function count(): Promise<void> {
      const [page, then] = [pages, taken];
      try {
        const { tasks } = await ask(DeploymentsCountDocument, { filter }, leaving.signal);
        if (page !== pages || tasks.totalCount === null) return;
        show({ total: tasks.totalCount, totalIsExact: tasks.totalCountIsExact });
        // What was taken meanwhile may be in the answer or not.
        if (then !== taken) countSoon();
      } catch {
        // What is shown stays; it is asked for again when the server is back, or with the next change.
      }
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
        if (batch.caughtUp && !caughtUp) beginAgain();
        caughtUp ||= batch.caughtUp;
      },
      onError: (error) => tell('following', error),
      onWaiting: (error) => tell('following', error),
      onExpired() {
        rows.forgetTold();
        histories++;
        caughtUp = false;
        void load(null);
      },
    });
    const stopAgain = again.listen(() => {
      failed?.();
      countSoon();
    });
    void load(null);
    return () => {
      stop();
      stopAgain();
      if (timer !== null) clearTimeout(timer);
      if (countTimer !== null) clearTimeout(countTimer);
      leaving.abort();
    };
  }, [filterKey]);
  return { ...list, rows: useHeldRows(list.rows, list.turned) };
}

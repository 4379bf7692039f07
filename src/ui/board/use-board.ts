/** The live board of a deployment, drawn some times a second however much changes. */
import { useEffect, useState } from 'preact/hooks';
import { type AskError, ask } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import { fellBehind, paused, useHeld } from '../data/pause.ts';
import { BoardChangedDocument, BoardNowDocument } from '../gen/graphql.ts';
import { BoardModel } from './board-model.ts';

export interface LiveBoard {
  /** Changed in place; `version` says when. */
  model: BoardModel;
  /** 0: nothing is known yet. */
  version: number;
  error: AskError | null;
}

/** Between two drawings; the first one after some quiet comes at once. */
const DRAW_MS = 200;

export function useBoard(id: string): LiveBoard {
  const [board, setBoard] = useState<LiveBoard>(() => fresh());
  useEffect(() => {
    let shown = fresh();
    let drawnAt = 0;
    let known = false;
    let timer: ReturnType<typeof setTimeout> | null = null;
    setBoard(shown);
    const draw = (changes: Partial<LiveBoard>): void => {
      shown = { ...shown, ...changes };
      timer ??= setTimeout(
        () => {
          timer = null;
          drawnAt = Date.now();
          const first = !known && shown.version > 0;
          known ||= first;
          setBoard(shown);
          // The first one is let in while paused too, and stays as it is from then on.
          if (first && paused.value !== null) shown = { ...shown, model: shown.model.copy() };
        },
        Math.max(0, drawnAt + DRAW_MS - Date.now()),
      );
    };
    const stopPaused = paused.listen(() => {
      // What is shown stays as it is; what goes on is another one.
      if (paused.value?.behind === 0) shown = { ...shown, model: shown.model.copy() };
    });
    let stop: () => void = () => {};
    const followFrom = (after: string | null): void => {
      stop = follow({
        document: BoardChangedDocument,
        variables: { id, after },
        cursorOf: ({ runsChanged }) => runsChanged.cursor,
        onResult({ runsChanged: { snapshot, changed } }) {
          if (snapshot !== null) shown.model.load(snapshot);
          if (changed.length > 0) shown.model.change(changed);
          if (snapshot === null && changed.length === 0) return;
          fellBehind(changed.length);
          draw({ version: shown.version + 1 });
        },
        onError: (error) => draw({ error }),
        onWaiting: (error) => draw({ error }),
        onExpired: () => {},
      });
    };
    // The board as it stands is read at once, and followed from exactly there: before the server can
    // tell of changes it folds all of the task's runs, which takes its time for thousands of them.
    const leaving = new AbortController();
    ask(BoardNowDocument, { id }, leaving.signal).then(
      ({ task }) => {
        if (task !== null) {
          shown.model.load(task.matrix);
          draw({ version: 1 });
        }
        followFrom(task?.matrix.cursor ?? null);
      },
      () => {
        // What keeps it from being read is told of what follows, which waits and tries again.
        if (!leaving.signal.aborted) followFrom(null);
      },
    );
    return () => {
      leaving.abort();
      stop();
      stopPaused();
      if (timer !== null) clearTimeout(timer);
    };
  }, [id]);
  const held = useHeld(board.version === 0 ? null : board) ?? board;
  return { ...held, error: board.error };
}

function fresh(): LiveBoard {
  return { model: new BoardModel(), version: 0, error: null };
}

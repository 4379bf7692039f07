/** The live board of a deployment, drawn some times a second however much changes. */
import { useEffect, useState } from 'preact/hooks';
import type { AskError } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import { fellBehind, paused, useHeld } from '../data/pause.ts';
import { BoardChangedDocument } from '../gen/graphql.ts';
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
    let timer: ReturnType<typeof setTimeout> | null = null;
    setBoard(shown);
    const draw = (changes: Partial<LiveBoard>): void => {
      shown = { ...shown, ...changes };
      timer ??= setTimeout(
        () => {
          timer = null;
          drawnAt = Date.now();
          setBoard(shown);
        },
        Math.max(0, drawnAt + DRAW_MS - Date.now()),
      );
    };
    const stopPaused = paused.listen(() => {
      // What is shown stays as it is; what goes on is another one.
      if (paused.value?.behind === 0) shown = { ...shown, model: shown.model.copy() };
    });
    const stop = follow({
      document: BoardChangedDocument,
      variables: { id, after: null },
      cursorOf: ({ runsChanged }) => runsChanged.cursor,
      onResult({ runsChanged: { snapshot, changed } }) {
        if (snapshot !== null) shown.model.load(snapshot);
        if (changed.length > 0) shown.model.change(changed);
        if (snapshot === null && changed.length === 0) return;
        fellBehind(changed.length);
        draw({ version: shown.version + 1 });
      },
      onError: (error) => draw({ error }),
      onExpired: () => {},
    });
    return () => {
      stop();
      stopPaused();
      if (timer !== null) clearTimeout(timer);
    };
  }, [id]);
  return useHeld(board);
}

function fresh(): LiveBoard {
  return { model: new BoardModel(), version: 0, error: null };
}

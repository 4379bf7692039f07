/** The live board of a deployment, drawn at most once a frame however much changes. */
import { useEffect, useState } from 'preact/hooks';
import type { AskError } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import { BoardChangedDocument } from '../gen/graphql.ts';
import { BoardModel } from './board-model.ts';

export interface LiveBoard {
  /** Changed in place; `version` says when. */
  model: BoardModel;
  /** 0: nothing is known yet. */
  version: number;
  error: AskError | null;
}

export function useBoard(id: string): LiveBoard {
  const [board, setBoard] = useState<LiveBoard>(() => fresh());
  useEffect(() => {
    let shown = fresh();
    let frame = 0;
    setBoard(shown);
    const draw = (changes: Partial<LiveBoard>): void => {
      shown = { ...shown, ...changes };
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setBoard(shown);
      });
    };
    const stop = follow({
      document: BoardChangedDocument,
      variables: { id, after: null },
      cursorOf: ({ runsChanged }) => runsChanged.cursor,
      onResult({ runsChanged: { snapshot, changed } }) {
        if (snapshot !== null) shown.model.load(snapshot);
        if (changed.length > 0) shown.model.change(changed);
        if (snapshot !== null || changed.length > 0) draw({ version: shown.version + 1 });
      },
      onError: (error) => draw({ error }),
      onExpired: () => {},
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [id]);
  return board;
}

function fresh(): LiveBoard {
  return { model: new BoardModel(), version: 0, error: null };
}

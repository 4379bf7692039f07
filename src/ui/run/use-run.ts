/** A run, asked for again when its cells changed. */
import { type AskError, ask } from '../data/ask.ts';
import { useQuestion } from '../data/use-question.ts';
import { RunDetailsDocument, type RunDetailsFragment } from '../gen/graphql.ts';

const LEAST_MS = 500;
/** The board usually comes first, and one question is enough. */
const BOARD_MS = 400;

interface LiveRun {
  run: RunDetailsFragment | null;
  /** false: not answered yet. */
  known: boolean;
  error: AskError | null;
}

/** `news`: its cells; '' as long as they are not known. */
export function useRun(id: string, host: string, news: string): LiveRun {
  const subject = `${id}\0${host}`;
  const asked = useQuestion(
    subject,
    news,
    async (signal) => (await ask(RunDetailsDocument, { id, host }, signal)).task?.run ?? null,
    { leastMs: LEAST_MS, settleMs: news === '' ? BOARD_MS : 0 },
  );
  const known = asked.answers === subject;
  return {
    run: known ? (asked.data ?? null) : null,
    known,
    error: asked.subject === subject ? asked.error : null,
  };
}

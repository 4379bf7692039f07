/** A question that a view asks for as long as it is about the same: again with news, and when the server came back. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useAgain } from './again.ts';
import type { AskError } from './ask.ts';
import { Question } from './question.ts';

export interface Asked<Result> {
  /** undefined: nothing was answered yet. */
  data: Result | undefined;
  /** What `data` is about: it stays until something else is answered. */
  answers: string | null;
  /** Of the last one that was asked; null: it was answered. */
  error: AskError | null;
  /** What the last one was about that was answered or failed. */
  subject: string | null;
}

interface QuestionTimes {
  /** Between two questions. */
  leastMs?: number;
  /** More news may come at once. */
  settleMs?: number;
}

/** `subject` null: nothing to ask. What was asked about another one is given up. */
export function useQuestion<Result>(
  subject: string | null,
  news: string,
  ask: (signal: AbortSignal) => Promise<Result>,
  { leastMs = 0, settleMs = 0 }: QuestionTimes = {},
): Asked<Result> {
  const [asked, setAsked] = useState<Asked<Result>>(NOTHING);
  const again = useAgain();
  const question = useRef<Question<Result> | null>(null);
  const occasion = useRef(again);
  const latest = useRef(ask);
  useEffect(() => {
    latest.current = ask;
  });
  useEffect(() => {
    if (subject === null) return;
    const mine = new Question<Result>({
      ask: (signal) => latest.current(signal),
      onAnswer: (data) => setAsked({ data, answers: subject, error: null, subject }),
      onError: (error) => setAsked((was) => ({ ...was, error, subject })),
      leastMs,
    });
    question.current = mine;
    return () => {
      mine.close();
      question.current = null;
    };
  }, [subject]);
  useEffect(() => {
    const came = occasion.current !== again;
    occasion.current = again;
    if (came) question.current?.again();
    else question.current?.ask(settleMs);
  }, [subject, news, again]);
  return asked;
}

const NOTHING = { data: undefined, answers: null, error: null, subject: null } as const;

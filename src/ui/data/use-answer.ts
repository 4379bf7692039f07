/**
 * A question that a view asks: again when its variables change, or the server came back. The old
 * answer stays meanwhile.
 */
import type { TypedDocumentString } from '../gen/graphql.ts';
import { type AskError, ask } from './ask.ts';
import { useQuestion } from './use-question.ts';

export interface Answered<Result> {
  /** null: not known yet. */
  data: Result | null;
  error: AskError | null;
  /** What is shown answers an older question. */
  asking: boolean;
}

/** `variables` null: nothing to ask. `delayMs`: for what changes as one types. */
export function useAnswer<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables | null,
  delayMs = 0,
): Answered<Result> {
  const subject = variables === null ? null : JSON.stringify(variables);
  const { data, error, ...asked } = useQuestion(
    subject,
    '',
    (signal) => ask(document, variables as Variables, signal),
    { settleMs: delayMs },
  );
  if (subject === null) return UNKNOWN;
  return { data: data ?? null, error, asking: asked.subject !== subject };
}

const UNKNOWN = { data: null, error: null, asking: true } as const;

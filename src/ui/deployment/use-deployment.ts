/** What is shown of a deployment besides its board: its head, live, and what is counted over it. */
import { useEffect, useState } from 'preact/hooks';
import { type AskError, ask } from '../data/ask.ts';
import { follow } from '../data/follow.ts';
import { useHeld } from '../data/pause.ts';
import { useQuestion } from '../data/use-question.ts';
import {
  DeploymentChangedDocument,
  type DeploymentHeadFragment,
  DeploymentSummaryDocument,
  type DeploymentSummaryQuery,
} from '../gen/graphql.ts';

export type Summary = NonNullable<DeploymentSummaryQuery['task']>;

export function useHead(id: string): {
  head: DeploymentHeadFragment | null;
  error: AskError | null;
} {
  const [head, setHead] = useState<DeploymentHeadFragment | null>(null);
  const [error, setError] = useState<AskError | null>(null);
  useEffect(() => {
    setHead(null);
    setError(null);
    return follow({
      document: DeploymentChangedDocument,
      variables: { id },
      onResult: ({ taskChanged }) => setHead(taskChanged),
      onError: setError,
      onWaiting: setError,
    });
  }, [id]);
  return { head: useHeld(head), error };
}

/** Between two questions. */
const LEAST_MS = 1_500;

/**
 * Counted by the store: asked again when `key` changed. undefined: not answered yet; null: there is no
 * such deployment.
 */
export function useSummary(
  id: string,
  key: string,
): { summary: Summary | null | undefined; error: AskError | null } {
  const { data, error } = useQuestion(
    id,
    key,
    async (signal) => (await ask(DeploymentSummaryDocument, { id }, signal)).task,
    { leastMs: LEAST_MS },
  );
  return { summary: data, error };
}

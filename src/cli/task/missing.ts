/** Whether what a command was told to look at is there: a misspelt name finds nothing, in silence. */
import type { Client } from '../client.ts';
import { TaskNamesDocument } from '../gen/graphql.ts';

/** In words; null if all is there. Throws as a query does. */
export async function whatIsMissing(
  client: Client,
  { task: id, step: steps = [] }: { task?: string; step?: string[] },
  signal?: AbortSignal,
): Promise<string | null> {
  if (id === undefined) return null;
  const { task } = await client.query(TaskNamesDocument, { id }, signal ? { signal } : {});
  if (task === null) return `there is no task ${id}`;
  const known = task.stepSummaries.map(({ step }) => step);
  const unknown = steps.filter((step) => !known.includes(step));
  if (unknown.length === 0) return null;
  return `task ${id} has no step ${unknown.join(', ')} (it has ${known.join(', ') || 'none'})`;
}

/** Where the log of a failed run opens: the line with the cause, in the step that failed. */
import { ask } from '../data/ask.ts';
import { FailingLineDocument } from '../gen/graphql.ts';
import { plainText } from '../log/text.ts';

export interface Failed {
  taskId: string;
  host: string;
  step: string;
  attempt: number;
  /** The reason that was reported; null: none was. */
  reason: string | null;
}

/** Its cursor; null: nothing was logged. An ERROR in a step that went well is not the cause. */
export async function failingLine(failed: Failed, signal: AbortSignal): Promise<string | null> {
  const { taskId, host, step, attempt, reason } = failed;
  const where = { taskId, hosts: [host], steps: [step], attempts: [attempt] };
  const filter = { ...where, minLevel: 'ERROR' as const };
  const { events } = await ask(FailingLineDocument, { filter }, signal);
  const cause = reason === null ? null : plainText(reason).trim();
  const output = events.edges.filter(({ node }) => node.kind === 'OUTPUT');
  const said = output.findLast(({ node }) => {
    const text = plainText(node.message ?? '').trim();
    return cause !== null && text !== '' && (cause.includes(text) || text.includes(cause));
  });
  const found = said ?? output.at(-1) ?? events.edges.at(-1);
  if (found !== undefined) return found.cursor;
  const last = await ask(FailingLineDocument, { filter: where }, signal);
  return last.events.edges.at(-1)?.cursor ?? null;
}

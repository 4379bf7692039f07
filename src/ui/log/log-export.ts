/** The whole log as a text, page by page: every line of it, whatever is shown. */
import { ask } from '../data/ask.ts';
import {
  type EventFilter,
  type LogLineFragment,
  LogPageDocument,
  type LogPageQuery,
} from '../gen/graphql.ts';
import { textOf } from './line-text.ts';
import { plainText } from './text.ts';

const PAGE = 1_000;

export type ExportForm = 'raw' | 'full';

/** `form`: texts alone, or each with its time, host, step and level. Rejects where a page fails. */
export async function exportLog(
  filter: EventFilter,
  form: ExportForm,
  progress: (lines: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const lineOf = form === 'raw' ? rawLine : fullLine;
  // Parts of a blob are kept by the browser, outside of what scripts hold.
  let parts: Blob[] = [];
  let lines = 0;
  let after: string | null = null;
  for (;;) {
    const page: LogPageQuery = await ask(LogPageDocument, { filter, first: PAGE, after }, signal);
    const { events } = page;
    const text = events.edges.map(({ node }) => `${lineOf(node)}\n`).join('');
    parts.push(new Blob([text]));
    if (parts.length === 100) parts = [new Blob(parts)];
    lines += events.edges.length;
    progress(lines);
    const { endCursor, hasNextPage } = events.pageInfo;
    if (!hasNextPage || endCursor === null) break;
    after = endCursor;
  }
  return new Blob(parts, { type: 'text/plain;charset=utf-8' });
}

function rawLine(event: LogLineFragment): string {
  return plainText(textOf(event));
}

function fullLine(event: LogLineFragment): string {
  const { at, hostName, step, level } = event;
  return [at, hostName ?? '-', step ?? '-', level, rawLine(event)].join(' ');
}

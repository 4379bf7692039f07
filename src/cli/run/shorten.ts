/** What is left of an event that is too large by itself for the server, or a proxy before it. */
import type { StepEventInput } from '../gen/graphql.ts';

const MOST_CHARACTERS = 500;

/** With its texts cut; of a line only how long it was. Null: it is as short as it gets. */
export function shortened(event: StepEventInput): StepEventInput | null {
  const { message, command, params, error, labels, ...rest } = event;
  const isLine = event.status === undefined && isLong(message);
  const shorter: StepEventInput = {
    ...rest,
    ...(labels === undefined || JSON.stringify(labels).length > MOST_CHARACTERS ? {} : { labels }),
    ...(command == null ? {} : { command: cut(command) }),
    ...(params == null || JSON.stringify(params).length > MOST_CHARACTERS ? {} : { params }),
    ...(error == null ? {} : { error: { ...error, message: cut(error.message) } }),
    ...(message == null ? {} : { message: isLine ? noticeOf(message as string) : cut(message) }),
    ...(isLine ? { level: 'WARN' } : {}),
  };
  return JSON.stringify(shorter).length < JSON.stringify(event).length ? shorter : null;
}

function isLong(text: string | null | undefined): boolean {
  return (text ?? '').length > MOST_CHARACTERS;
}

function noticeOf(line: string): string {
  return `[shiplog] a line of ${line.length} characters was left out here: it is too large for the server`;
}

function cut(text: string): string {
  return isLong(text) ? `${text.slice(0, MOST_CHARACTERS - 1).toWellFormed()}…` : text;
}

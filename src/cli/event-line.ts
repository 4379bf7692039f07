/** One event as a line for a person. */
import type { LogLevel } from '../domain/event/event.ts';
import { clockTime, day, duration, share } from './format.ts';
import type { EventRowFragment } from './gen/graphql.ts';
import { forTerminal, type Paint, type Style } from './output.ts';

const LEVEL_STYLE: Record<LogLevel, Style> = {
  TRACE: 'gray',
  DEBUG: 'gray',
  INFO: 'dim',
  WARN: 'yellow',
  ERROR: 'red',
  FATAL: 'red',
};
const HOST_STYLES: readonly Style[] = ['cyan', 'magenta', 'blue', 'green', 'yellow'];

export interface LineOptions {
  paint: Paint;
  /** Removes what could harm a terminal. */
  isTerminal: boolean;
  /** Several tasks in one list: each line says its own. */
  showTask: boolean;
  /** With the day, for what is not of today. */
  showDay?: boolean;
  /** Where a search matched in `message`: UTF-16 offsets. */
  highlights?: readonly { start: number; end: number }[];
}

export function eventLine(event: EventRowFragment, options: LineOptions): string {
  const { paint } = options;
  const safe = (text: string) => (options.isTerminal ? forTerminal(text) : text);
  const place = [
    options.showTask ? safe(event.taskId) : null,
    event.hostName === null ? null : paint(hostStyle(event.hostName), safe(event.hostName)),
    event.step === null ? null : safe(event.step) + attemptSuffix(event.attempt),
  ].filter((part) => part !== null);
  const level = paint(LEVEL_STYLE[event.level], event.level.padEnd(5));
  const text = whatHappened(event, options, safe);
  // A text of several lines stays one entry to the eye.
  const lines = text.replace(/\r?\n/g, '\n    ');
  const time = clockTime(event.at);
  const at = options.showDay ? `${day(event.at)} ${time}` : time;
  return [paint('dim', at), level, ...place, lines].join(' ');
}

function attemptSuffix(attempt: number | null): string {
  return attempt === null || attempt === 1 ? '' : `#${attempt}`;
}

function hostStyle(host: string): Style {
  let sum = 0;
  for (let i = 0; i < host.length; i++) sum = (sum * 31 + host.charCodeAt(i)) >>> 0;
  return HOST_STYLES[sum % HOST_STYLES.length] as Style;
}

function whatHappened(
  event: EventRowFragment,
  options: LineOptions,
  safe: (text: string) => string,
) {
  const { paint } = options;
  const message = event.message === null ? null : highlighted(event.message, options, safe);
  if (event.kind === 'TASK') return paint('bold', message ?? 'task changed');
  if (event.kind === 'PROGRESS' && event.progress !== null) {
    const { done, total, unit } = event.progress;
    const amount = total === null ? `${done} ${unit ?? ''}`.trimEnd() : share(done, total);
    return paint('dim', [amount, message].filter(Boolean).join(' '));
  }
  if (event.status === null) return message ?? safe(event.command ?? event.error?.message ?? '');
  const style = statusStyle(event.status);
  return [
    paint(style, event.status),
    event.status === 'RUNNING' && event.command !== null ? safe(event.command) : null,
    event.durationMs === null ? null : paint('dim', duration(event.durationMs)),
    event.exitCode === null || event.exitCode === 0 ? null : `exit ${event.exitCode}`,
    event.error === null
      ? null
      : safe([event.error.code, event.error.message].filter(Boolean).join(': ')),
    message,
  ]
    .filter((part) => part !== null)
    .join(' ');
}

export function statusStyle(status: string): Style {
  if (status === 'SUCCEEDED') return 'green';
  if (status === 'FAILED' || status === 'TIMED_OUT') return 'red';
  if (status === 'RUNNING') return 'blue';
  if (status === 'PARTIAL' || status === 'CANCELLED') return 'yellow';
  return 'dim';
}

/** The offsets are of the text as it is stored, so parts are made safe one by one. */
function highlighted(
  text: string,
  { highlights = [], paint }: LineOptions,
  safe: (text: string) => string,
): string {
  let out = '';
  let at = 0;
  for (const { start, end } of highlights) {
    if (start < at) continue;
    out += safe(text.slice(at, start)) + paint('inverse', safe(text.slice(start, end)));
    at = end;
  }
  return out + safe(text.slice(at));
}

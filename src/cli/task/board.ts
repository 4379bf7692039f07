/**
 * The board of a task as text: what a person sees first is how far it is and what failed. Hosts
 * with the same letters are one row, failures first, so that thousands fit a screen.
 */

import { statusStyle } from '../event-line.ts';
import { columns, dateTime, duration, zoneOf } from '../format.ts';
import type {
  FailureGroupFragment,
  StepSummaryFragment,
  TaskBoardFragment,
} from '../gen/graphql.ts';
import { forTerminal, type Paint, type Style } from '../output.ts';
import { cut, inLines, widthOf } from '../width.ts';

export interface BoardOptions {
  paint: Paint;
  /** Characters per line. */
  width: number;
  /** At most so many rows of hosts. */
  rows: number;
  /** Only hosts that failed. */
  failedOnly: boolean;
  /** Now, in epoch milliseconds: what runs says for how long. */
  now?: number;
  /** Reasons take as many lines as they need. */
  wrapReasons?: boolean;
}

export function boardLines(task: TaskBoardFragment, options: BoardOptions): string[] {
  return Object.values(boardParts(task, options)).flat();
}

/** At most `height` lines: of steps and hosts only the first, so that the first reason is seen. */
export function boardThatFits(
  task: TaskBoardFragment,
  options: BoardOptions,
  height: number,
): string[] {
  const { head, steps, hosts, failures } = boardParts(task, options);
  const all = [...head, ...steps, ...hosts, ...failures];
  if (all.length <= height) return all;
  const reason = Math.min(failures.length, REASON_LINES);
  const room = height - head.length - reason - 1;
  const hostsKept = Math.min(hosts.length, Math.max(LEAST_HOST_LINES, room - steps.length));
  const stepsKept = Math.min(steps.length, Math.max(0, room - hostsKept));
  const lines = [...head, ...steps.slice(0, stepsKept), ...hosts.slice(0, hostsKept), ...failures];
  const shown = lines.slice(0, Math.max(1, height - 1));
  return [...shown, options.paint('dim', `… ${all.length - shown.length} more lines`)];
}

/** An empty line, the reason, where, and the command. */
const REASON_LINES = 4;
const LEAST_HOST_LINES = 3;

function boardParts(task: TaskBoardFragment, options: BoardOptions) {
  return {
    head: [...header(task, options), ''],
    steps: [...stepLines(task.stepSummaries, options), ''],
    hosts: hostLines(task.matrix, options),
    failures: failureLines(task.failureGroups, options),
  };
}

/** A board is drawn over itself: a text must not have more lines than are counted. */
function oneLine(text: string): string {
  return forTerminal(text)
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('\t', ' ');
}

function header(task: TaskBoardFragment, { paint, width, now }: BoardOptions): string[] {
  const what = [task.service, task.version].filter(Boolean).join(' ');
  const where = task.environment === null ? '' : ` to ${task.environment}`;
  const { total, succeeded, failed, running, pending, cancelled, notRun, stale } = task.runCounts;
  const counts = [
    total === 1 ? '1 host' : `${total} hosts`,
    `${succeeded} succeeded`,
    ...(failed > 0 ? [paint('red', `${failed} failed`)] : []),
    ...(running > 0 ? [paint('blue', `${running} running`)] : []),
    ...(pending > 0 ? [`${pending} pending`] : []),
    ...(cancelled > 0 ? [paint('yellow', `${cancelled} cancelled`)] : []),
    ...(notRun > 0 ? [`${notRun} not run`] : []),
    ...(stale > 0 ? [paint('yellow', `${stale} stale`)] : []),
  ];
  const isRunning = task.finishedAt === null && task.durationMs === null;
  const times = [
    `created ${dateTime(task.createdAt)}`,
    ...(task.finishedAt === null ? [] : [`finished ${dateTime(task.finishedAt)}`]),
    ...(task.durationMs === null ? [] : [`took ${duration(task.durationMs)}`]),
    ...(isRunning && now !== undefined
      ? [`for ${duration(now - Date.parse(task.createdAt))}`]
      : []),
    zoneOf(task.createdAt),
  ];
  const id = oneLine(task.id);
  const room = width - widthOf(id) - task.status.length - 4;
  return [
    `${paint('bold', id)}  ${paint(statusStyle(task.status), task.status)}  ${cut(oneLine(what + where), room)}`.trimEnd(),
    counts.join(' · '),
    paint('dim', times.join(' · ')),
  ];
}

const BAR_WIDTH = 24;

function stepLines(
  summaries: readonly StepSummaryFragment[],
  { paint, width }: BoardOptions,
): string[] {
  const rows = columns([
    ['STEP', 'DONE', 'FAILED', 'RUNNING', 'P50', 'P95', ''],
    ...summaries.map((s) => [
      cut(oneLine(s.step), 24),
      String(s.succeeded + s.skipped),
      String(s.failed + s.timedOut + s.cancelled),
      String(s.running),
      s.p50Ms === null ? '–' : duration(s.p50Ms),
      s.p95Ms === null ? '–' : duration(s.p95Ms),
      '',
    ]),
  ]);
  return rows.map((cells, index) => {
    const summary = summaries[index - 1];
    if (summary === undefined) return paint('dim', cells.join('  ').trimEnd());
    const room = width - widthOf(cells.join('  '));
    return cells.with(-1, bar(summary, paint, Math.min(BAR_WIDTH, room))).join('  ');
  });
}

/** Whatever happened at all gets a character, however rare. */
function bar(s: StepSummaryFragment, paint: Paint, width: number): string {
  const parts: [number, Style, string][] = [
    [s.succeeded + s.skipped, 'green', '█'],
    [s.failed + s.timedOut + s.cancelled, 'red', '▓'],
    [s.running, 'blue', '▒'],
    [s.pending + s.notRun, 'gray', '░'],
  ];
  const total = parts.reduce((sum, [count]) => sum + count, 0);
  if (total === 0 || width < parts.length) return '';
  const widths = parts.map(([n]) => (n === 0 ? 0 : Math.max(1, Math.round((n / total) * width))));
  const widest = widths.indexOf(Math.max(...widths));
  widths[widest] = (widths[widest] ?? 0) + width - widths.reduce((sum, w) => sum + w, 0);
  return parts
    .map(([, style, sign], i) => (widths[i] ? paint(style, sign.repeat(widths[i])) : ''))
    .join('');
}

const LETTER_STYLE: Record<string, Style> = {
  S: 'green',
  F: 'red',
  T: 'red',
  R: 'blue',
  C: 'yellow',
  K: 'cyan',
  P: 'gray',
  N: 'gray',
};
/** What a row of letters is sorted by: the worst letter in it. */
const URGENCY = 'FTCrRSKPN';

interface HostGroup {
  letters: string;
  hosts: string[];
}

/** Hosts with the same letters, the most urgent first; within that in the order of the matrix. */
export function groupHosts(matrix: TaskBoardFragment['matrix'], failedOnly: boolean): HostGroup[] {
  const width = matrix.steps.length;
  const groups = new Map<string, HostGroup>();
  matrix.hosts.forEach((host, index) => {
    const letters = matrix.cells.slice(index * width, (index + 1) * width);
    if (failedOnly && !/[FT]/i.test(letters)) return;
    const group = groups.get(letters);
    if (group === undefined) groups.set(letters, { letters, hosts: [host] });
    else group.hosts.push(host);
  });
  return [...groups.values()].sort((a, b) => urgency(a.letters) - urgency(b.letters));
}

function urgency(letters: string): number {
  let worst = URGENCY.length;
  for (const letter of letters) {
    // Lower case is stale: that a step is silent is urgent, that it is pending and silent is not.
    const known = letter === 'r' ? letter : letter.toUpperCase();
    const rank = URGENCY.indexOf(known);
    if (rank >= 0 && rank < worst) worst = rank;
  }
  return worst;
}

function hostLines(matrix: TaskBoardFragment['matrix'], options: BoardOptions): string[] {
  const { paint, width, rows } = options;
  const groups = groupHosts(matrix, options.failedOnly);
  if (groups.length === 0) return [options.failedOnly ? 'no host failed' : 'no hosts yet'];
  const legend = wrapped(
    matrix.steps.map((step, i) => `${i + 1} ${oneLine(step)}`),
    width,
  );
  const digits = String(matrix.hosts.length).length;
  const lines = groups.slice(0, rows).map(({ letters, hosts }) => {
    const cells = [...letters]
      .map((letter) => paint(LETTER_STYLE[letter.toUpperCase()] ?? 'dim', letter))
      .join(' ');
    const room = width - 2 * letters.length - digits - 9;
    return `${cells}  ${String(hosts.length).padStart(digits)} ${hosts.length === 1 ? 'host ' : 'hosts'}  ${names(hosts, room)}`;
  });
  const hidden = groups.slice(rows).reduce((sum, group) => sum + group.hosts.length, 0);
  if (hidden > 0) lines.push(paint('dim', `… and ${hidden} more hosts`));
  return [...legend.map((text) => paint('dim', text)), ...lines];
}

/** In as many lines as it takes: without its name a column of letters says nothing. */
function wrapped(names: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const next = `${lines.at(-1) ?? ''}  ${name}`;
    if (lines.length > 0 && widthOf(next) <= width) lines[lines.length - 1] = next;
    else lines.push(cut(name, width));
  }
  return lines;
}

/** As many names as fit, then how many more there are. */
function names(hosts: readonly string[], room: number): string {
  let text = '';
  for (const [index, host] of hosts.entries()) {
    const next = `${index === 0 ? '' : ', '}${oneLine(host)}`;
    const left = hosts.length - index - 1;
    const tail = left > 0 ? ` +${left}` : '';
    if (index > 0 && widthOf(text + next + tail) > room) return `${text} +${left + 1}`;
    text += next;
  }
  return text;
}

const GROUPS_SHOWN = 10;

function failureLines(
  groups: readonly FailureGroupFragment[],
  { paint, width, wrapReasons }: BoardOptions,
): string[] {
  const lines: string[] = [];
  for (const group of groups.slice(0, GROUPS_SHOWN)) {
    const { sample } = group;
    const place = `${group.steps.map(oneLine).join(', ')} on ${group.hostCount} ${group.hostCount === 1 ? 'host' : 'hosts'}`;
    const known = group.hosts.slice(0, group.hostCount).sort();
    const reason = oneLine(sample.error?.message ?? group.message);
    const [first, ...more] = wrapReasons ? inLines(reason, width - 2) : [cut(reason, width - 2)];
    lines.push(
      '',
      `${paint('red', '✖')} ${paint('bold', first ?? '')}`,
      ...more.map((text) => `  ${paint('bold', text)}`),
      `  ${place}: ${names(known, width - widthOf(place) - 4)}`,
    );
    if (sample.command !== null) {
      const exit = sample.exitCode === null ? '' : ` (exit ${sample.exitCode})`;
      lines.push(
        paint('dim', `  $ ${cut(oneLine(sample.command), width - 4 - exit.length)}${exit}`),
      );
    }
    for (const { message } of sample.lastLines) {
      if (message !== null)
        lines.push(`  ${paint('dim', '│')} ${cut(oneLine(message), width - 4)}`);
    }
  }
  if (groups.length > GROUPS_SHOWN) {
    lines.push('', paint('dim', `… and ${groups.length - GROUPS_SHOWN} more kinds of failure`));
  }
  return lines;
}

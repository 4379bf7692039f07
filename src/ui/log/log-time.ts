/**
 * How the time of a line is told: a choice that is remembered. Those of another day have their date.
 */
import { duration } from '../parts/time.ts';
import { preference } from '../parts/preference.ts';

export const TIME_MODES = ['local', 'utc', 'relative', 'step'] as const;
export type TimeMode = (typeof TIME_MODES)[number];
export const TIME_NAMES: Readonly<Record<TimeMode, string>> = {
  local: 'local',
  utc: 'UTC',
  relative: 'ago',
  step: 'since step',
};

export const timeMode = preference<TimeMode>('shiplog-log-time', TIME_MODES, 'local');

export function nextTimeMode(): void {
  const next = (TIME_MODES.indexOf(timeMode.value) + 1) % TIME_MODES.length;
  timeMode.value = TIME_MODES[next] as TimeMode;
}

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
const LOCAL = new Intl.DateTimeFormat('en-GB', { ...CLOCK, fractionalSecondDigits: 3 });
const DAY = { day: 'numeric', month: 'short' } as const;
const LOCAL_DAY = new Intl.DateTimeFormat('en-GB', DAY);
const UTC_DAY = new Intl.DateTimeFormat('en-GB', { ...DAY, timeZone: 'UTC' });

const DAY_MS = 86_400_000;

/** As much of the time now as a way of telling times depends on: ages on each second, others on the day. */
export function nowFor(mode: TimeMode, now: number): number {
  if (mode === 'relative') return now;
  return mode === 'utc' ? now - (now % DAY_MS) : new Date(now).setHours(0, 0, 0, 0);
}

/** `now`: of `nowFor`. `stepBegan`: epoch milliseconds; null: not known, and the local time is told. */
export function timeText(
  at: string,
  mode: TimeMode,
  now: number,
  stepBegan: number | null,
): string {
  const moment = Date.parse(at);
  switch (mode) {
    case 'utc': {
      const isToday = at.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
      return `${isToday ? '' : `${UTC_DAY.format(moment)} `}${at.slice(11, 23)}Z`;
    }
    case 'relative':
      return now < moment ? 'now' : `${duration(now - moment)} ago`;
    case 'step':
      if (stepBegan !== null) return `+${((moment - stepBegan) / 1_000).toFixed(3)} s`;
      return localText(moment, now);
    case 'local':
      return localText(moment, now);
  }
}

function localText(moment: number, now: number): string {
  const isToday = new Date(moment).setHours(0, 0, 0, 0) === new Date(now).setHours(0, 0, 0, 0);
  return `${isToday ? '' : `${LOCAL_DAY.format(moment)} `}${LOCAL.format(moment)}`;
}

/** How the time of a line is told: a choice that is remembered. */
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

/** `stepBegan`: epoch milliseconds; null: not known, and the local time is told. */
export function timeText(
  at: string,
  mode: TimeMode,
  now: number,
  stepBegan: number | null,
): string {
  const moment = Date.parse(at);
  switch (mode) {
    case 'utc':
      return `${at.slice(11, 23)}Z`;
    case 'relative':
      return now < moment ? 'now' : `${duration(now - moment)} ago`;
    case 'step':
      if (stepBegan !== null) return `+${((moment - stepBegan) / 1_000).toFixed(3)} s`;
      return LOCAL.format(moment);
    case 'local':
      return LOCAL.format(moment);
  }
}

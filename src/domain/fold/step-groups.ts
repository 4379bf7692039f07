/** How steps are grouped in statistics: what names a group, the same on every engine. */
export interface StepGroup {
  step?: string;
  host?: string;
  /** null: of tasks without one. */
  service?: string | null;
  /** When the UTC day begins. */
  day?: number;
}

/**
 * Unique among groups of one kind. A step whose name could be taken for two is quoted; what stands
 * behind it may hold what it will.
 */
export function stepGroupKey({ step, host, service, day }: StepGroup): string {
  if (step === undefined) return host ?? '';
  const name = /^"|\s/.test(step) ? JSON.stringify(step) : step;
  if (service !== undefined) return `${name} ${service ?? ''}`;
  return day === undefined ? step : `${name} ${isoDay(day)}`;
}

/** A day beyond what a Date can hold is told by its number. */
function isoDay(day: number): string {
  return Math.abs(day) <= 8.64e15
    ? (new Date(day).toISOString().split('T')[0] as string)
    : String(day);
}

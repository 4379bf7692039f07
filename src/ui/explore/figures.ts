/** Figures as people read them. */
import { duration } from '../parts/time.ts';

export function timeOf(ms: number | null): string {
  return ms === null ? '–' : duration(ms);
}

/** `0 %`, `0.4 %`, `12 %`; null: of nothing. */
export function shareOf(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  return `${percent === 0 || percent >= 10 ? Math.round(percent) : percent.toFixed(1)} %`;
}

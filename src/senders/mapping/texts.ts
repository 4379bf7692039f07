/** Texts of others, made such that the log can hold them: nothing is refused for a character. */
import { LIMITS } from '../../domain/event/limits.ts';
import { cutText } from '../../domain/text/cut-text.ts';

/** Most names; the rest takes a closer look. */
const PRINTABLE = /^[ -~]*$/;

/** A name: one line, no white space at its ends, cut at `max`; null where nothing is left. */
export function nameFrom(text: string, max: number): string | null {
  const clean = (PRINTABLE.test(text) ? text : wellFormed(text).replace(/\p{Cc}+/gu, ' ')).trim();
  if (clean.length <= max) return clean === '' ? null : clean;
  return clean.slice(0, max).toWellFormed().trim();
}

/** Like other names, but without the `*` that a filter would take for any ending. */
export function hostFrom(text: string): string | null {
  return nameFrom(text.replaceAll('*', '_'), LIMITS.host);
}

/** Any text, cut at `max` with a mark that says how long it was. */
export function textFrom(text: string, max: number): { text: string; cut: boolean } {
  const clean = wellFormed(text);
  return { text: cutText(clean, max), cut: clean.length > max };
}

/** No NUL, no half surrogate pairs. */
export function wellFormed(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '\ufffd') : whole;
}

/** More levels than anybody reads, and far fewer than a stack holds. */
const MAX_LEVELS = 64;

/** A value's JSON; of one that is nested without end, that it is. */
export function jsonText(value: unknown): string {
  return isDeeper(value, MAX_LEVELS) ? '[nested too deep]' : (JSON.stringify(value) ?? '');
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

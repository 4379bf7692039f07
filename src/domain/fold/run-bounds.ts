/**
 * How much a run's folded state remembers. It is written whole with each change, so its JSON stays
 * below 1 MiB whatever is sent: the more steps a run has, the less is kept of each. The log has it
 * all.
 *
 * Everything here is a cut that may be made early or late and gives the same: bounds only get
 * tighter as steps and attempts are heard of, and a cut of a cut is the smaller cut. So the fold
 * stays free of order.
 */
import { hash } from 'node:crypto';
import type { JsonObject, StepError } from '../event/event.ts';

/** The first by name. */
export const MAX_STEPS_PER_RUN = 500;
/** Attempts of a step that keep their error, the highest ones. */
const ATTEMPTS_WITH_ERROR = 3;
const EARLIER_ERROR_BYTES = 256;
/** Reporters whose times are told apart, in a run. */
export const MAX_SOURCES_PER_RUN = 32;

export interface RunBounds {
  /** How many attempts are kept of each step: the highest. */
  attempts: number;
  /** How many sources are kept of each attempt: the first by name. */
  sources: number;
  /** Bytes of JSON, kept of the highest attempt. 0: neither these nor its source and unit of progress. */
  command: number;
  params: number;
  /** Bytes of its error, and of the message that it failed with. */
  text: number;
}

/** The bounds of runs with up to so many steps. The heaviest run that can be reported is some 900 KB. */
const TIERS: readonly (readonly [steps: number, bounds: RunBounds])[] = [
  [3, { attempts: 100, sources: 4, command: 32_768, params: 16_384, text: 8_192 }],
  [7, { attempts: 40, sources: 4, command: 32_768, params: 16_384, text: 8_192 }],
  [14, { attempts: 20, sources: 4, command: 8_192, params: 8_192, text: 4_096 }],
  [28, { attempts: 10, sources: 4, command: 4_096, params: 4_096, text: 3_072 }],
  [50, { attempts: 6, sources: 4, command: 2_048, params: 2_048, text: 1_024 }],
  // A plan has no more.
  [100, { attempts: 4, sources: 2, command: 512, params: 512, text: 512 }],
  [250, { attempts: 1, sources: 1, command: 0, params: 0, text: 200 }],
];
const LAST_TIER: RunBounds = {
  attempts: 1,
  sources: 1,
  command: 0,
  params: 0,
  text: 110,
};

/** The bounds of a run with so many steps; the same object for the same bounds. */
export function runBounds(steps: number): RunBounds {
  return TIERS.find(([most]) => steps <= most)?.[1] ?? LAST_TIER;
}

const MARK = '…';
const MARK_BYTES = 3;

/** Bytes of a character within a text of JSON in UTF-8. */
function jsonBytes(code: number): number {
  if (code === 0x22 || code === 0x5c) return 2;
  if (code < 0x20) return code >= 8 && code <= 13 && code !== 11 ? 2 : 6;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  if (code < 0x10000) return code >= 0xd800 && code < 0xe000 ? 6 : 3;
  return 4;
}

/** The text, or as much of it as `max` bytes of JSON hold, with `…` at the end. */
export function cutText(text: string, max: number): string {
  if (text.length * 6 <= max) return text;
  let bytes = 0;
  let fits = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number;
    bytes += jsonBytes(code);
    if (bytes > max) return text.slice(0, fits) + MARK;
    at += code < 0x10000 ? 1 : 2;
    if (bytes <= max - MARK_BYTES) fits = at;
  }
  return text;
}

function cutError(error: StepError, max: number): StepError {
  const message = cutText(error.message, max);
  const code = error.code === null ? null : cutText(error.code, max);
  return message === error.message && code === error.code ? error : { code, message };
}

/** In the JSON of an object: `,"…":"cut"`. */
const CUT: JsonObject = { [MARK]: 'cut' };
const CUT_BYTES = 12;

/** The object, or its first keys as far as `max` bytes of JSON hold them, and `…` as the last. */
export function cutParams(params: JsonObject, max: number): JsonObject {
  if (Buffer.byteLength(JSON.stringify(params)) <= max) return params;
  const kept: JsonObject = {};
  // The braces, without a comma before the first.
  let bytes = 1;
  for (const [key, value] of Object.entries(params)) {
    bytes += Buffer.byteLength(JSON.stringify({ [key]: value })) - 1;
    if (bytes > max - CUT_BYTES) break;
    kept[key] = value;
  }
  return { ...kept, ...CUT };
}

/** The error of an attempt that has so many above it; null where none is kept. */
export function errorAtDepth(error: StepError, depth: number, max: number): StepError | null {
  if (depth === 0) return cutError(error, max);
  return depth < ATTEMPTS_WITH_ERROR ? cutError(error, Math.min(max, EARLIER_ERROR_BYTES)) : null;
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** An id of at most 36 bytes that orders like the given one, as far as ids are plain and short. */
export function shortId(id: string): string {
  if (id.length <= 36 && PLAIN.test(id)) return id;
  const head = PLAIN.test(id) ? id.slice(0, 18) : '';
  return `${head}~${hash('sha256', id, 'hex').slice(0, 16)}`;
}

/** What tells sources apart, in at most 20 bytes. */
export function shortSource(source: string | null): string {
  if (source === null) return '';
  if (source.length <= 20 && PLAIN.test(source)) return source;
  return `~${hash('sha256', source, 'hex').slice(0, 16)}`;
}

/** What was sent, item by item: of JSON, of lines, or why one could not be read. */
import type { InputProblem } from '../../../domain/errors.ts';
import { parseJson, utf8 } from '../../body/body.ts';
import type { Line } from '../../body/byte-lines.ts';

/** An event at all its limits, with every character escaped, is smaller. */
export const MAX_LINE_BYTES = 1024 * 1024;

export interface Item {
  index: number;
  raw: unknown;
  /** Why it could not even be read; null: it could. */
  problem: InputProblem | null;
}

/** The items of one object, an array, or lines: shippers send NDJSON as application/json, too. */
export function itemsOf(text: string): Item[] {
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch (error) {
    const lines = linesOf(text);
    if (lines === null) throw error;
    return lines;
  }
  const raws = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
  return raws.map((raw, index) => ({ index, raw, problem: null }));
}

/** null: its first line is no object by itself, so these are no lines. */
function linesOf(text: string): Item[] | null {
  const first = text.trimStart().split('\n', 1)[0] ?? '';
  if (!first.startsWith('{') || readLine(0, first).problem !== null) return null;
  return text
    .split('\n')
    .map((line, index) => (line.trim() === '' ? null : readLine(index, line)))
    .filter((item) => item !== null);
}

/** null: an empty line. */
export function readBytes({ index, bytes }: Line): Item | null {
  if (bytes === null) {
    const message = `The line is longer than ${MAX_LINE_BYTES} bytes`;
    return { index, raw: null, problem: { code: 'TOO_LONG', message, field: null } };
  }
  try {
    const text = utf8(bytes);
    return text.trim() === '' ? null : readLine(index, text);
  } catch (error) {
    return badLine(index, error as Error);
  }
}

function readLine(index: number, text: string): Item {
  try {
    return { index, raw: parseJson(text), problem: null };
  } catch (error) {
    return badLine(index, error as Error);
  }
}

function badLine(index: number, error: Error): Item {
  const message = error.message.replace('The body', 'The line');
  return { index, raw: null, problem: { code: 'BAD_JSON', message, field: null } };
}

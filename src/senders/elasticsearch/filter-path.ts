/**
 * `filter_path`: only these parts of an answer. A list is passed through: `items.*.error` is the
 * error of whatever action each item names.
 */

/** Patterns of one request; more are not read. */
const MAX_PATTERNS = 50;
const MAX_SEGMENTS = 20;

type Pattern = readonly string[];

/** `text`: patterns separated by commas, `*` for any characters of a name, `**` for any names. */
export function filterPath(value: unknown, text: string): unknown {
  const patterns = text
    .split(',')
    .slice(0, MAX_PATTERNS)
    .map((pattern) => pattern.trim().replace(/\*\*(?:\.\*\*)+/g, '**'))
    .filter((pattern) => pattern !== '' && !pattern.startsWith('-'))
    .map((pattern) => pattern.split('.').slice(0, MAX_SEGMENTS));
  return patterns.length === 0 ? value : (new Filter(patterns).of(value) ?? {});
}

class Filter {
  readonly #patterns: readonly Pattern[];
  readonly #takesAll: boolean;
  /** By name: a thousand items have the same few. */
  readonly #below = new Map<string, Filter>();

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns;
    this.#takesAll = patterns.some((pattern) => pattern.length === 0);
  }

  /** undefined: nothing of it is asked for. */
  of(value: unknown): unknown {
    if (this.#takesAll) return value;
    if (this.#patterns.length === 0) return undefined;
    if (Array.isArray(value)) {
      const list = value.map((one) => this.of(one)).filter((one) => one !== undefined);
      return list.length === 0 ? undefined : list;
    }
    if (typeof value !== 'object' || value === null) return undefined;
    const found = Object.entries(value).flatMap(([name, own]) => {
      const rest = this.#behind(name).of(own);
      return rest === undefined ? [] : [[name, rest] as const];
    });
    return found.length === 0 ? undefined : Object.fromEntries(found);
  }

  #behind(name: string): Filter {
    let below = this.#below.get(name);
    if (below === undefined) {
      const rests = this.#patterns.flatMap((pattern) => restsOf(pattern, name));
      below = new Filter([...new Map(rests.map((rest) => [rest.join('.'), rest])).values()]);
      this.#below.set(name, below);
    }
    return below;
  }
}

/** What is left of a pattern that leads through `name`. */
function restsOf(pattern: Pattern, name: string): Pattern[] {
  const [first, ...rest] = pattern;
  if (first === undefined) return [];
  if (first === '**') return [pattern, ...restsOf(rest, name)];
  return matches(first, name) ? [rest] : [];
}

function matches(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name;
  const [start = '', ...parts] = pattern.split('*');
  if (!name.startsWith(start)) return false;
  const end = parts.pop() ?? '';
  let at = start.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - end.length >= at && name.endsWith(end);
}

/**
 * `filter_path`: only these parts of an answer. A list is passed through: `items.*.error` is the
 * error of whatever action each item names.
 */

/** Patterns of one request; more are not read. */
const MAX_PATTERNS = 50;

type Pattern = readonly string[];

/** `text`: patterns separated by commas, `*` for any characters of a name, `**` for any names. */
export function filterPath(value: unknown, text: string): unknown {
  const patterns = text
    .split(',')
    .slice(0, MAX_PATTERNS)
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '' && !pattern.startsWith('-'))
    .map((pattern) => pattern.split('.').slice(0, 20));
  return patterns.length === 0 ? value : (kept(value, patterns) ?? {});
}

/** undefined: nothing of it is asked for. */
function kept(value: unknown, patterns: readonly Pattern[]): unknown {
  if (patterns.some((pattern) => pattern.length === 0)) return value;
  if (Array.isArray(value)) {
    const list = value.map((one) => kept(one, patterns)).filter((one) => one !== undefined);
    return list.length === 0 ? undefined : list;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const found: Record<string, unknown> = {};
  let any = false;
  for (const [name, own] of Object.entries(value)) {
    const rest = kept(own, behind(patterns, name));
    if (rest === undefined) continue;
    found[name] = rest;
    any = true;
  }
  return any ? found : undefined;
}

/** What is left of the patterns that lead through `name`. */
function behind(patterns: readonly Pattern[], name: string): Pattern[] {
  return patterns.flatMap((pattern) => {
    const [first = '', ...rest] = pattern;
    if (first === '**') return [pattern, ...behind([rest], name)];
    return matches(first, name) ? [rest] : [];
  });
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

/**
 * Secrets inside texts. Lines come from outside and are long, so every pattern here is linear:
 * repeats are bounded, or what they run over cannot begin a second match. One cheap test says
 * for the common line that there is nothing to look for.
 */
import { mayBeginKey, maskKeys, maskLoneLines, REDACTED_KEY as REDACTED } from './key-block.ts';

export { REDACTED };

/** key: a secret's name in params or labels. named: the same inside a text. */
export type RedactionRule =
  | 'key'
  | 'named'
  | 'header'
  | 'command'
  | 'url'
  | 'private-key'
  | 'known-token';

type Counts = Record<RedactionRule, number>;

export interface TextRules {
  prefilter: RegExp;
  /** A secret's name with what belongs to the same key behind it. */
  name: RegExp;
}

/** `names`: a pattern of the names of secrets, as alternatives. */
export function textRules(names: string): TextRules {
  return {
    prefilter: new RegExp(
      `${names}|bearer|:\\/\\/[^\\s/]*@|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|npm_|AIza|[rs]k_(?:live|test)_|eyJ|xox|shp_|---- ?BEGIN|private-lines|mysql|mariadb|sshpass|curl|redis-cli|docker|podman`,
      'i',
    ),
    name: new RegExp(`(?:${names})[\\w.-]{0,64}`, 'gi'),
  };
}

/** A rewritten line could show what another rule knows; more rounds than this do not occur. */
const ROUNDS = 8;

/** The text with every known secret replaced. */
export function redactText(rules: TextRules, given: string, counts: Counts): string {
  const text = mayBeginKey(given) ? given : maskLoneLines(given);
  if (text !== given) counts['private-key']++;
  if (!rules.prefilter.test(text)) return text;
  let current = text;
  for (let round = 0; round < ROUNDS; round++) {
    const next = named(rules.name, shapes(current, counts), counts);
    if (next === current) break;
    current = next;
  }
  return current;
}

const KNOWN_TOKENS =
  /(?<![\w-])(?:(?:AKIA|ASIA)[A-Z0-9]{16}(?!\w)|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|npm_[A-Za-z0-9]{36}(?!\w)|AIza[\w-]{35}(?![\w-])|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|eyJ[\w-]{6,}\.eyJ[\w-]{6,}\.[\w-]*|xox[abeoprs]-[\w-]{10,}|shp_[A-Za-z0-9-]+_[\w-]{6,})/g;
const BEARER = /\b(bearer[ \t]{1,8})([\w.~+/-]{12,}=*)/gi;
/** `ssh://git@…` names no secret. */
const USER_INFO = /:\/\/(?!git@|\[redacted\]@)[^\s/?#"'<>`]+@/g;
/** The password arguments of programs that agents run; a gap is bounded. */
const COMMAND_ARGUMENTS = [
  /\b((?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b[^\n|;&]{0,200}?\s-p)((?:"[^"\n]{0,256}"|'[^'\n]{0,256}'|[^\s"'|;&]+))/g,
  /\b(sshpass[ \t]{1,8}-p[ \t]{0,8})((?:"[^"\n]{0,256}"|'[^'\n]{0,256}'|[^\s"']+))/g,
  /\b(redis-cli\b[^\n|;&]{0,200}?\s-a[ \t]{1,8})((?:"[^"\n]{0,256}"|'[^'\n]{0,256}'|[^\s"']+))/g,
  /\b((?:docker|podman)[ \t]{1,8}login\b[^\n|;&]{0,200}?\s-p[ \t]{1,8})((?:"[^"\n]{0,256}"|'[^'\n]{0,256}'|[^\s"']+))/g,
  /\b(curl\b[^\n|;&]{0,400}?\s(?:-u|--user)[ \t=]{1,8}["']?[^\s:"']{1,128}:)([^\s"']+)/g,
];

/** What is known by its own shape, whatever stands before it. */
function shapes(text: string, counts: Counts): string {
  let out = mayBeginKey(text) ? maskKeys(text, null).text : text;
  if (out !== text) counts['private-key']++;
  out = out.replace(KNOWN_TOKENS, () => count(counts, 'known-token', REDACTED));
  out = out.replace(USER_INFO, () => count(counts, 'url', `://${REDACTED}@`));
  out = out.replace(BEARER, (_, before: string) => count(counts, 'header', before + REDACTED));
  for (const rule of COMMAND_ARGUMENTS) {
    out = out.replace(rule, (whole, before: string, value: string) =>
      isRedacted(value) ? whole : count(counts, 'command', before + REDACTED),
    );
  }
  return out;
}

function count(counts: Counts, rule: RedactionRule, replacement: string): string {
  counts[rule]++;
  return replacement;
}

function isRedacted(value: string): boolean {
  return value === REDACTED;
}

/** Where a secret's value stands: `from` to `to` are replaced. */
interface Found {
  from: number;
  to: number;
  rule: RedactionRule;
}

/** Values that stand behind a secret's name: flags, assignments, JSON, headers. */
function named(name: RegExp, text: string, counts: Counts): string {
  let out = '';
  let done = 0;
  name.lastIndex = 0;
  for (let match = name.exec(text); match !== null; match = name.exec(text)) {
    const found = valueBehind(text, match.index, match.index + match[0].length);
    if (found === null) continue;
    const value = text.slice(found.from, found.to);
    if (value !== '' && !isRedacted(value)) {
      counts[found.rule]++;
      out += text.slice(done, found.from) + REDACTED;
      done = found.to;
    }
    name.lastIndex = Math.max(found.to, name.lastIndex);
  }
  return done === 0 ? text : out + text.slice(done);
}

const SCHEME = /(?:bearer|basic|digest|token|apikey|negotiate)[ \t]{1,8}/iy;
const TOKEN = /[^\s"'`\\,]+/y;
/** A value that begins with a quote ends at the same quote, escaped as often as it. */
const OPENING = /(\\{0,4})(["'`])/y;
const KEY_END = /\\{0,4}["'`]?[ \t]{0,8}(?:=>|[:=])[ \t]{0,8}/y;
const LITERAL = /(?:true|false|null|none|undefined)(?![\w-])/iy;
const FLAG_VALUE = /(?:[ \t]{1,8}(?!-)|\\{0,4}["'`],[ \t]{0,8}(?=\\{0,4}["'`](?!-)))/y;
/** `--password-stdin` and `--token-file` take no secret behind them. */
const NO_VALUE = /[-_.](?:stdin|file|path|prompt|name|id|ttl|type|url)$/i;

/** `--password` by itself: what follows is its value. */
export function takesSecret({ name }: TextRules, flag: string): boolean {
  if (!/^--?[\w.-]{1,128}$/.test(flag) || NO_VALUE.test(flag)) return false;
  name.lastIndex = 0;
  return name.test(flag);
}

function valueBehind(text: string, nameFrom: number, nameTo: number): Found | null {
  const keyFrom = keyStart(text, nameFrom);
  const key = text.slice(keyFrom, nameTo);
  const isFlag = key.startsWith('-');
  const assigned = matchAt(KEY_END, text, nameTo);
  if (assigned === null) {
    if (!isFlag || NO_VALUE.test(key)) return null;
    const gap = matchAt(FLAG_VALUE, text, nameTo);
    return gap === null ? null : value(text, nameTo + gap.length, 'named', /[\s"'`]/);
  }
  const from = nameTo + assigned.length;
  if (/authorization$/i.test(key)) {
    const scheme = matchAt(SCHEME, text, from) ?? '';
    return value(text, from + scheme.length, 'header', /[\s"'`]/);
  }
  if (assigned === '=') {
    const before = text[keyFrom - 1]; // in a query of a URL `&` ends it
    return value(text, from, 'named', before === '?' || before === '&' ? /[\s"'`&]/ : /[\s"'`]/);
  }
  if (/["'`>]/.test(assigned)) return value(text, from, 'named', /[\s"'`,;}\])]/);
  if (key.includes('-') && /:[ \t]/.test(assigned)) {
    return value(text, from, 'header', /[\s"'`]/);
  }
  // Without quotes a colon is mostly prose ("wrong password: try again"): only a line of settings.
  if (startsLine(text, keyFrom) && endsLine(text, from)) {
    return value(text, from, 'named', /[\s"'`]/);
  }
  return null;
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/** The beginning of the key that the name is part of; a longer key than 64 characters is none. */
function keyStart(text: string, nameFrom: number): number {
  let at = nameFrom;
  while (at > 0 && nameFrom - at < 64 && /[\w.-]/.test(text[at - 1] ?? '')) at--;
  return at;
}

function value(text: string, from: number, rule: RedactionRule, ends: RegExp): Found | null {
  if (matchAt(LITERAL, text, from) !== null) return null;
  const opening = matchAt(OPENING, text, from);
  if (opening !== null) {
    const begin = from + opening.length;
    return { from: begin, to: quotedEnd(text, begin, opening), rule };
  }
  const known = text.startsWith(REDACTED, from);
  // In JSON a list or an object is searched for its own names; before its end is looked for, or
  // a text of nothing but such beginnings would be read to its end for each of them.
  if (!known && ends.test('}') && /[{[]/.test(text[from] ?? '')) return null;
  let to = known ? from + REDACTED.length : from;
  while (to < text.length && !ends.test(text[to] ?? '')) to++;
  if (to === from) return null;
  return { from, to, rule };
}

/** An unclosed quote ends with its line. */
function quotedEnd(text: string, begin: number, closing: string): number {
  for (let at = text.indexOf(closing, begin); at >= 0; at = text.indexOf(closing, at + 1)) {
    // One more backslash before it and it belongs to the value.
    let slashes = 0;
    while (at - slashes - 1 >= begin && text[at - slashes - 1] === '\\') slashes++;
    if (slashes % 2 === 0) return at;
    at += closing.length - 1;
  }
  const line = text.indexOf('\n', begin);
  return line < 0 ? text.length : line;
}

function startsLine(text: string, at: number): boolean {
  let from = at;
  while (from > 0 && at - from < 64 && /[ \t-]/.test(text[from - 1] ?? '')) from--;
  return from === 0 || text[from - 1] === '\n';
}

function endsLine(text: string, from: number): boolean {
  const token = matchAt(TOKEN, text, from);
  if (token === null) return matchAt(OPENING, text, from) !== null;
  return /[ \t\r]{0,64}(?:\n|$)/y.test(text.slice(from + token.length, from + token.length + 65));
}

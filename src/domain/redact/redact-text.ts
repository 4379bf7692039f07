/**
 * Secrets inside texts. Lines come from outside and are long, so every pattern here is linear:
 * repeats are bounded, or what they run over cannot begin a second match. One cheap test
 * (`prescreen.ts`) says for the common line that there is nothing to look for.
 */

import { hasEscapeCodes, withoutEscapeCodes } from '../text/escape-codes.ts';
import { ARGUMENTS_MAX, mayHoldCommand, secretsOfCommands } from './command-secrets.ts';
import { maskKeys, maskLoneLines, mayBeginKey, REDACTED_KEY as REDACTED } from './key-block.ts';
import type { Prescreen } from './prescreen.ts';
import type { SecretNames } from './secret-names.ts';
import {
  ADDRESS_HINT,
  hasShapeOfItsOwn,
  KNOWN_TOKENS,
  mayHoldShape,
  SECRET_ADDRESS,
  SIGNATURE,
  WEBHOOK_KEY,
} from './secret-shapes.ts';

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
  mayHold: Prescreen;
  /** Whether a name of a secret can be there. */
  hint: RegExp;
  names: SecretNames;
  /** A secret's name with what belongs to the same key behind it. */
  name: RegExp;
}

export function textRules(names: SecretNames): TextRules {
  return {
    mayHold: names.mayHold,
    hint: new RegExp(`${names.hint}|echo\\s|printf\\s|identified\\s`, 'i'),
    names,
    name: new RegExp(`(?:${names.pattern})[\\w.-]{0,64}`, 'gi'),
  };
}

/** A rewritten line could show what another rule knows; more rounds than this do not occur. */
const ROUNDS = 8;

/** The text with every known secret replaced. */
export function redactText(rules: TextRules, given: string, counts: Counts): string {
  if (!hasEscapeCodes(given)) return redactPlain(rules, given, counts);
  // Colours may stand in the middle of a secret, and a secret in what a terminal does not show.
  const seen = withoutEscapeCodes(given);
  const plain = redactPlain(rules, seen, counts);
  return plain === seen ? redactPlain(rules, given, counts) : plain;
}

function redactPlain(rules: TextRules, given: string, counts: Counts): string {
  const text = mayBeginKey(given) ? given : maskLoneLines(given);
  if (text !== given) counts['private-key']++;
  let current = text;
  const left = { arguments: ARGUMENTS_MAX };
  for (let round = 0; round < ROUNDS; round++) {
    const hints = hintsOf(rules, current);
    if (hints === null) break;
    const found = shapes(rules, current, hints, counts, left);
    const next = hints.names ? named(rules, found, counts) : found;
    if (next === current) break;
    current = next;
  }
  return current;
}

/** What can be in the text; each of these is one pass. */
function hintsOf({ hint, mayHold }: TextRules, text: string): Hints | null {
  if (!mayHold(text) && !hasShapeOfItsOwn(text)) return null;
  const names = hint.test(text);
  const shapes = mayHoldShape(text);
  const addresses = ADDRESS_HINT.test(text);
  const commands = mayHoldCommand(text);
  const keys = mayBeginKey(text);
  return names || shapes || addresses || commands || keys
    ? { names, shapes, addresses, commands, keys }
    : null;
}

interface Hints {
  names: boolean;
  shapes: boolean;
  addresses: boolean;
  commands: boolean;
  keys: boolean;
}

/** `ssh://git@…` names no secret. */
const USER_INFO = /:\/\/(?!git@|\[redacted\]@)[^\s/?#"'<>`]+@/g;
const BEARER = /\b(bearer[ \t]{1,8})([\w.~+/-]{12,}=*)/gi;
/** What is said before a secret that has no name of its own. */
const SAID_BEFORE = [
  /\b(identified[ \t]{1,4}(?:with[ \t]{1,4}\S{1,64}[ \t]{1,4})?by[ \t]{1,4}(?:password[ \t]{1,4})?["'])([^"'\n]{1,256})(?=["'])/gi,
  /\b(password(?:[ \t]{1,4}\(?|\()["'])([^"'\n]{1,256})(?=["'])/gi,
  /\b((?:requirepass|masterauth)[ \t]{1,8})([^\s"']{1,256})/gi,
  /\b(login[ \t]{1,4}\S{1,128}[ \t]{1,4}password[ \t]{1,4})(\S{1,256})/gi,
  /\b((?:generated|temporary|initial|one-?time)\b[^\n:]{0,60}\bpassword\b[^\n:]{0,80}:[ \t]{0,4}|password is generated[^\n:]{0,80}:[ \t]{0,4})(\S{4,256})(?=[ \t\r]{0,8}(?:\n|$))/gi,
  /\b((?:echo|printf)[ \t]{1,4}(?:-\w{1,4}[ \t]{1,4})?["']?)([^\s|;&"']{1,256})(?=["']?[ \t]{0,4}\|[ \t]{0,4}(?:sudo[ \t]{1,4}(?:-S|chpasswd|passwd)|chpasswd|passwd|cryptsetup|[^\n|]{0,200}--password-stdin))/g,
];

/** Name and value side by side: entries of JSON and YAML, attributes and elements of XML. */
const BESIDE = [
  /(\b(?:name|key)\\{0,4}["']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,4}["']?)([\w.:-]{1,128})(\\{0,4}["']?(?:[ \t]{0,4},)?\s{0,40}\\{0,4}["']?value\\{0,4}["']?[ \t]{0,4}[:=][ \t]{0,4})(\\{0,4}["'][^"'\\\n]{1,512}|[^\s"',\\<>{}[\]]{1,512})/gi,
  /(<)([\w.:-]{1,128})((?:[ \t][^<>\n]{0,256})?>)([^<\n]{1,512})(?=<\/)/gi,
];
const QUOTE = /^\\{0,4}["']/;

function beside(names: SecretNames, text: string, counts: Counts): string {
  let out = text;
  for (const rule of BESIDE) {
    out = out.replace(rule, (all, before: string, name: string, between: string, value: string) => {
      const [quote = ''] = QUOTE.exec(value) ?? [];
      if (!names.isSecret(name) || isRedacted(value.slice(quote.length))) return all;
      return count(counts, 'named', before + name + between + quote + REDACTED);
    });
  }
  return out;
}

/** What is known by its own shape, or by the program that it is given to. */
function shapes(
  { names }: TextRules,
  text: string,
  hints: Hints,
  counts: Counts,
  left: { arguments: number },
): string {
  let out = hints.keys ? maskKeys(text, null).text : text;
  if (out !== text) counts['private-key']++;
  if (hints.shapes) {
    out = out.replace(KNOWN_TOKENS, () => count(counts, 'known-token', REDACTED));
    out = out.replace(USER_INFO, () => count(counts, 'url', `://${REDACTED}@`));
    out = behind(BEARER, 'header', out);
  }
  if (hints.addresses) {
    for (const rule of [SECRET_ADDRESS, SIGNATURE, WEBHOOK_KEY]) out = behind(rule, 'url', out);
  }
  if (hints.names) {
    for (const rule of SAID_BEFORE) out = behind(rule, 'command', out);
    out = beside(names, out, counts);
  }
  if (!hints.commands) return out;
  const isName = (word: string) => /^[\w./:@-]{1,128}$/.test(word) && names.isSecret(word);
  let done = 0;
  let whole = '';
  for (const { from, to } of secretsOfCommands(out, isName, left)) {
    if (isRedacted(out.slice(from, to)) || from >= to) continue;
    whole += out.slice(done, from) + count(counts, 'command', REDACTED);
    done = to;
  }
  return done === 0 ? out : whole + out.slice(done);

  function behind(rule: RegExp, name: RedactionRule, own: string): string {
    return own.replace(rule, (all, before: string, value: string) =>
      isRedacted(value) ? all : count(counts, name, before + REDACTED),
    );
  }
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
function named({ name, names }: TextRules, text: string, counts: Counts): string {
  let out = '';
  let done = 0;
  name.lastIndex = 0;
  for (let match = name.exec(text); match !== null; match = name.exec(text)) {
    const found = valueBehind(text, match.index, match.index + match[0].length, names);
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
/** `Cookie: a=b; c=d`, all of it; not "no cookie: try again". */
const COOKIE = /[\w!#$%&*+.^|~-]{1,256}=/y;
const TOKEN = /[^\s"'`\\,]+/y;
/** A value that begins with a quote ends at the same quote, escaped as often as it. */
const OPENING = /(\\{0,4})(["'`])/y;
const KEY_END = /\\{0,4}["'`]?[ \t]{0,8}(?:=>|[:=])[ \t]{0,8}/y;
const LITERAL = /(?:true|false|null|none|undefined)(?![\w-])/iy;
const FLAG_VALUE = /(?:[ \t]{1,8}(?!-)|\\{0,4}["'`],[ \t]{0,8}(?=\\{0,4}["'`](?!-)))/y;
/** `--password-stdin` and `--token-file` take no secret behind them. */
const NO_VALUE = /[-_.](?:stdin|file|path|prompt|name|id|ttl|type|url)$/i;

/** `--password` by itself: what follows is its value. */
export function takesSecret({ names }: TextRules, flag: string): boolean {
  return /^--?[\w.-]{1,128}$/.test(flag) && !NO_VALUE.test(flag) && names.isSecret(flag);
}

function valueBehind(
  text: string,
  nameFrom: number,
  nameTo: number,
  names: SecretNames,
): Found | null {
  const keyFrom = keyStart(text, nameFrom);
  const key = text.slice(keyFrom, nameTo);
  if (!names.isSecret(key)) return null;
  const isFlag = key.startsWith('-');
  const assigned = matchAt(KEY_END, text, nameTo);
  if (assigned === null) {
    if (!isFlag || NO_VALUE.test(key)) return null;
    const gap = matchAt(FLAG_VALUE, text, nameTo);
    return gap === null ? null : value(text, nameTo + gap.length, 'named', /[\s"'`]/);
  }
  const from = nameTo + assigned.length;
  const short = text.slice(from, from + 64);
  // In a connection string a `;` stands before it, and PWD is no directory.
  const inString = text[keyFrom - 1] === ';';
  if (!inString && !names.isSecret(key, /^[^\s"',;&}\])]*/.exec(short)?.[0])) return null;
  if (/authorization$/i.test(key)) {
    const scheme = matchAt(SCHEME, text, from) ?? '';
    return value(text, from + scheme.length, 'header', /[\s"'`]/);
  }
  if (assigned === '=') {
    if (inString) return value(text, from, 'named', /[\s"'`;]/);
    const before = text[keyFrom - 1]; // in a query of a URL `&` ends it
    return value(text, from, 'named', before === '?' || before === '&' ? /[\s"'`&]/ : /[\s"'`]/);
  }
  if (/["'`>]/.test(assigned)) return value(text, from, 'named', /[\s"'`,;}\])]/);
  if (/cookie$/i.test(key)) {
    return matchAt(COOKIE, text, from) === null ? null : value(text, from, 'header', /[\n\r"'`]/);
  }
  if (key.includes('-') && /:[ \t]/.test(assigned)) {
    return value(text, from, 'header', /[\s"'`]/);
  }
  // `$env:DB_PASSWORD = "…"`: a quoted value behind `=` is no prose, wherever it stands.
  if (assigned.includes('=') && matchAt(OPENING, text, from) !== null) {
    return value(text, from, 'named', /[\s"'`]/);
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
  const first = text[from] ?? '';
  if (/[tfnu]/i.test(first) && matchAt(LITERAL, text, from) !== null) return null;
  const opening = /["'`\\]/.test(first) ? matchAt(OPENING, text, from) : null;
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

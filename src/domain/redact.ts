/**
 * Takes secrets out of an event before it is hashed, stored or sent on. It cannot know every
 * secret; it knows the names that secrets go by, and the shapes of common keys. Redacting twice
 * is the same as once, so a retry has the same digest.
 */
import { withoutEscapeCodes } from './escape-codes.ts';
import type { Json, JsonObject, Labels } from './event.ts';
import { type KeyBlock, type MaskedKeys, maskKeys, mayBeginKey } from './key-block.ts';
import { REDACTED, type RedactionRule, redactText, takesSecret, textRules } from './redact-text.ts';

export interface RedactorOptions {
  /**
   * More names of secrets; a key that contains one is redacted. `*` stands for a few characters;
   * a name has at most three inside it, beyond that they stand for nothing.
   */
  keys?: readonly string[];
  /** Default true. */
  enabled?: boolean;
}

export interface Redactor {
  text(text: string): string;
  json(value: JsonObject): JsonObject;
  labels(labels: Labels): Labels;
  /**
   * A line of a stream that may be inside of a private key. `text`: what is stored of it, or null
   * where it is not of a key; `block`: for the next line.
   */
  keyLine(line: string, before: KeyBlock | null): { text: string | null; block: KeyBlock | null };
  /** How often each rule found something since the start. */
  readonly counts: Record<RedactionRule, number>;
}

/** The names of secrets, as parts of a key; upper and lower case, `-` and `_` are the same. */
const SECRET_NAMES = [
  'password',
  'passwd',
  'secret',
  'token',
  'authorization',
  'passphrase',
  'api-?key',
  'access-?key',
  'credential',
  'private-?key',
];

/** Characters that a `*` inside a name stands for, by how many there are: tries multiply. */
const GAPS = [0, 64, 16, 6] as const;

/** One pattern of all names, as alternatives. What `*` stands for is bounded, against backtracking. */
function namePattern(extra: readonly string[]): string {
  const either = (name: string) => name.replace(/[-_]/g, '[-_]');
  const own = extra
    .map((name) => name.replace(/^\*+|\*+$/g, '').replace(/\*+/g, '*'))
    .filter((name) => name !== '')
    .map((name) => either(name.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
    .map((name) => {
      const gap = GAPS[name.split('*').length - 1] ?? 0;
      return name.replaceAll('*', `[\\w.-]{0,${gap}}`);
    });
  return [...SECRET_NAMES.map(either), ...own].join('|');
}

/** Values of secret keys become `[redacted]`; a flag (`useToken: true`) or null is no secret. */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  const names = namePattern(options.keys ?? []);
  const secretKey = new RegExp(names, 'i');
  const rules = textRules(names);
  const counts: Record<RedactionRule, number> = {
    key: 0,
    named: 0,
    header: 0,
    command: 0,
    url: 0,
    'private-key': 0,
    'known-token': 0,
  };
  if (options.enabled === false) {
    return {
      text: (text) => text,
      json: (value) => value,
      labels: (labels) => labels,
      keyLine: () => ({ text: null, block: null }),
      counts,
    };
  }

  function text(value: string): string {
    return redactText(rules, value, counts);
  }

  function keyLine(line: string, before: KeyBlock | null) {
    const seen = withoutEscapeCodes(line);
    const { text: masked, block } = maskKeys(seen, before);
    if (masked === seen) {
      // The lines of a certificate look as those of a key, but they are known to be none.
      const isInside = before?.kind === 'public' && block?.kind === 'public';
      const isPublic = isInside && !/[:\s]/.test(seen.trim());
      return { text: isPublic ? line : null, block };
    }
    counts['private-key']++;
    return { text: text(masked), block };
  }

  function entry(key: string, value: Json): Json {
    if (value === null || typeof value === 'boolean' || value === '' || !secretKey.test(key)) {
      return any(value);
    }
    if (value !== REDACTED) counts.key++;
    return REDACTED;
  }

  function any(value: Json): Json {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return list(value);
    return typeof value === 'object' && value !== null ? json(value) : value;
  }

  /**
   * A command line as a list: the value stands in the entry behind the flag. A list of lines may be
   * a key.
   */
  function list(given: Json[]): Json[] {
    const values = withoutKeys(given);
    return values.map((value, at) => {
      const before = values[at - 1];
      const isValue = typeof value === 'string' && typeof before === 'string' && value !== '';
      if (!isValue || value.startsWith('-') || !takesSecret(rules, before)) return any(value);
      if (value !== REDACTED) counts.named++;
      return REDACTED;
    });
  }

  function withoutKeys(values: Json[]): Json[] {
    if (!values.some((value) => typeof value === 'string' && mayBeginKey(value))) return values;
    let block: KeyBlock | null = null;
    return values.map((value) => {
      if (typeof value !== 'string') return value;
      const masked: MaskedKeys = maskKeys(withoutEscapeCodes(value), block);
      block = masked.block;
      return masked.text;
    });
  }

  function json(value: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, entry(key, own)]));
  }

  return { text, json, labels: (labels) => json(labels) as Labels, keyLine, counts };
}

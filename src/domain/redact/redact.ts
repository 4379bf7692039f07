/**
 * Takes secrets out of an event before it is hashed, stored or sent on. It cannot know every
 * secret; it knows the names that secrets go by, and the shapes of common keys. Redacting twice
 * is the same as once, so a retry has the same digest.
 */

import type { Json, JsonObject, Labels } from '../event/event.ts';
import { withoutEscapeCodes } from '../text/escape-codes.ts';
import { programIn, programOf, secretArguments } from './command-secrets.ts';
import { type KeyBlock, type MaskedKeys, maskKeys, mayBeginKey } from './key-block.ts';
import { REDACTED, type RedactionRule, redactText, takesSecret, textRules } from './redact-text.ts';
import { secretNames } from './secret-names.ts';

/** How many programs are looked for in one list: a list of nothing but programs is no command. */
const PROGRAMS_MAX = 16;
/** Keys of an object whose value names the program that the other values are for. */
const PROGRAM_KEY = /^(?:cmd|command|program|exe|executable|binary|tool|path)$/i;

/** Of an entry that is an object of its own: `{name: 'DB_PASSWORD', value: '…'}`. */
const NAME_KEY = /^(?:name|key)$/i;
const VALUE_KEY = /^value$/i;

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
  /** `command`: the command that the values belong to. */
  json(value: JsonObject, command?: string | null): JsonObject;
  labels(labels: Labels): Labels;
  /**
   * A line of a stream that may be inside of a private key. `text`: what is stored of it, or null
   * where it is not of a key; `block`: for the next line.
   */
  keyLine(line: string, before: KeyBlock | null): { text: string | null; block: KeyBlock | null };
  /** How often each rule found something since the start. */
  readonly counts: Record<RedactionRule, number>;
}

/** Values of secret keys become `[redacted]`; a flag (`useToken: true`) or null is no secret. */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  const names = secretNames(options.keys ?? []);
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

  function entry(key: string, value: Json, program: string | null = null): Json {
    const isNothing = value === null || typeof value === 'boolean' || value === '';
    if (isNothing || !names.isSecret(key, value)) return any(value, program);
    if (value !== REDACTED) counts.key++;
    return REDACTED;
  }

  function any(value: Json, program: string | null = null): Json {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return list(value, program);
    return typeof value === 'object' && value !== null ? json(value) : value;
  }

  /**
   * A command line as a list: the value stands in the entry behind the flag. A list of lines may be
   * a key.
   */
  function list(given: Json[], program: string | null): Json[] {
    const values = withoutKeys(given);
    const hidden = commandSecrets(values, program);
    return values.map((value, at) => {
      const secret = hidden.get(at);
      if (secret !== undefined) return secret;
      if (isPair(value)) return [value[0], entry(...value)];
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

  /** Arguments behind a known program: in the list itself, or named beside it. */
  function commandSecrets(values: readonly Json[], beside: string | null): Map<number, string> {
    const hidden = new Map<number, string>();
    const words = values.map((value) => (typeof value === 'string' ? value : ''));
    const hide = (program: string, from: number) => {
      for (const secret of secretArguments(program, words.slice(from), isFlagOfSecret)) {
        const at = from + secret.index;
        const word = words[at] ?? '';
        const now = hidden.get(at);
        const masked = word.slice(0, secret.from) + REDACTED + word.slice(secret.to);
        if (now !== undefined && now.length <= masked.length) continue;
        if (masked !== word) counts.command++;
        hidden.set(at, masked);
      }
    };
    if (beside !== null) hide(beside, 0);
    let programs = 0;
    for (const [at, word] of words.entries()) {
      const program = programOf(word);
      if (program !== null && programs++ < PROGRAMS_MAX) hide(program, at + 1);
    }
    return hidden;
  }

  function isFlagOfSecret(word: string): boolean {
    return /^[\w./:@-]{1,128}$/.test(word) && names.isSecret(word);
  }

  function json(value: JsonObject, command: string | null = null): JsonObject {
    const entries = Object.entries(value);
    const named = entries.find(([key, own]) => NAME_KEY.test(key) && typeof own === 'string');
    const nameOf = (key: string) =>
      named !== undefined && VALUE_KEY.test(key) ? String(named[1]) : key;
    // Which program the values are for matters to lists alone.
    const hasList = entries.some(([, own]) => Array.isArray(own));
    const program = hasList ? programOfEntries(entries, command) : null;
    return Object.fromEntries(
      entries.map(([key, own]) => [
        key,
        Array.isArray(own) ? entry(nameOf(key), own, program) : entry(nameOf(key), own),
      ]),
    );
  }

  function programOfEntries(entries: [string, Json][], command: string | null): string | null {
    const named = entries.find(([key, own]) => PROGRAM_KEY.test(key) && typeof own === 'string');
    const known = named === undefined ? null : programOf(String(named[1]));
    return known ?? (command !== null && names.mayHold(`${command} `) ? programIn(command) : null);
  }

  return { text, json, labels: (labels) => json(labels) as Labels, keyLine, counts };
}

/** One of a list of pairs, as headers are: a name and its value. */
function isPair(value: Json): value is [string, string] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((own) => typeof own === 'string')
  );
}

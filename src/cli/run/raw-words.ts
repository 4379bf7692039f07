/**
 * Arguments and variables are bytes; Node makes texts of them, and of what is not UTF-8 the sign
 * U+FFFD. Where that has happened, the bytes are read from /proc, and a shell puts them back.
 */
import { readFileSync } from 'node:fs';

export interface RawCommand {
  argv: [string, ...string[]];
  /** Some bytes could not be found again: the command gets U+FFFD for them. */
  isDamaged: boolean;
}

type Read = (file: string) => Buffer;

/** The command so that what it is given arrives byte by byte. */
export function withRawWords(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
  read: Read = readFileSync,
): RawCommand {
  const plain = { argv: [...argv] as [string, ...string[]], isDamaged: false };
  const hasOdd = (text: string | undefined) => text?.includes('\ufffd') === true;
  const oddNames = Object.keys(env).filter((name) => hasOdd(env[name]));
  if (!argv.some(hasOdd) && oddNames.length === 0) return plain;
  const words = rawWords(argv, read);
  const variables = rawVariables(oddNames, env, read);
  if (words === null) return { ...plain, isDamaged: true };
  const isChanged = words.some((raw) => !isText(raw)) || variables.some((raw) => !isText(raw));
  if (!isChanged) return plain;
  const script = [
    'set --',
    ...[...variables, ...words].map((raw) => `w=$(printf '${octal(raw)}.'); set -- "$@" "\${w%.}"`),
    variables.length === 0 ? 'exec "$@"' : 'exec env "$@"',
  ].join('\n');
  return { argv: ['/bin/sh', '-c', script], isDamaged: false };
}

/** The end of our command line, or of the one that started us with another Node (bin/shiplog.js). */
function rawWords(argv: readonly string[], read: Read): Buffer[] | null {
  const candidates = ['self', String(process.ppid)].flatMap((who) => {
    const words = entriesOf(`/proc/${who}/cmdline`, read).slice(-argv.length);
    const isSame = words.map(String).join('\0') === argv.join('\0');
    return isSame && words.length === argv.length ? [words] : [];
  });
  return candidates.find((words) => words.some((raw) => !isText(raw))) ?? candidates[0] ?? null;
}

/** `NAME=value` of those whose bytes are no text. */
function rawVariables(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  read: Read,
): Buffer[] {
  if (names.length === 0) return [];
  const entries = ['self', String(process.ppid)].flatMap((who) =>
    entriesOf(`/proc/${who}/environ`, read),
  );
  return names.flatMap((name) => {
    const shown = `${name}=${env[name]}`;
    const raw = entries.find((entry) => !isText(entry) && String(entry) === shown);
    return raw === undefined ? [] : [raw];
  });
}

function entriesOf(file: string, read: Read): Buffer[] {
  let bytes: Buffer;
  try {
    bytes = read(file);
  } catch {
    return [];
  }
  const entries: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from);
    const to = end < 0 ? bytes.length : end;
    entries.push(bytes.subarray(from, to));
    from = to + 1;
  }
  return entries;
}

function isText(bytes: Buffer): boolean {
  return Buffer.from(String(bytes)).equals(bytes);
}

function octal(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

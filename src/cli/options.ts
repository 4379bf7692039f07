/** The options that all client commands share, and how texts on a command line become values. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDateTime } from '../domain/event/date-time.ts';
import { LOG_LEVELS, type LogLevel } from '../domain/event/event.ts';
import { CliError, EXIT } from './exit.ts';

export interface ConnectionOptions {
  url: string;
  token?: string;
}

export interface ClientOptions extends ConnectionOptions {
  json?: boolean;
  color: boolean;
}

const DEFAULT_URL = 'http://127.0.0.1:4000';

/** --url, --token, --json, --no-color: for what shows data of the server. */
export function clientOptions(command: Command): Command {
  return connectionOptions(command)
    .option('--json', 'print NDJSON on stdout')
    .option('--no-color', 'no colours (also NO_COLOR; FORCE_COLOR=1 for colours in a pipe)');
}

/** --url, --token. `url`: what an address is read by. */
export function connectionOptions(command: Command, url = serverUrl): Command {
  const address = new Option('--url <url>', 'address of the server')
    .default(DEFAULT_URL)
    .argParser(url);
  // Set to nothing it is not set, as every other setting.
  if (process.env.SHIPLOG_URL !== '') address.env('SHIPLOG_URL');
  return command
    .addOption(address)
    .addOption(
      new Option('--token <token>', 'access token; SHIPLOG_TOKEN_FILE names a file with it').env(
        'SHIPLOG_TOKEN',
      ),
    );
}

/** An http(s) address without a trailing slash. What is wrong is not repeated: it may hold a password. */
export function serverUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new CliError(
      '--url (or SHIPLOG_URL) must be an address such as http://127.0.0.1:4000',
      EXIT.usage,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new CliError(
      '--url (or SHIPLOG_URL) carries a user name or a password, which Shiplog has none of: leave them out, and give a token with --token, SHIPLOG_TOKEN or SHIPLOG_TOKEN_FILE',
      EXIT.usage,
    );
  }
  return text.replace(/\/+$/, '');
}

export function integer(least: number, greatest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < least || value > greatest) {
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${greatest}.`);
    }
    return value;
  };
}

export function decimal(least: number, greatest: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= least && value <= greatest)) {
      throw new InvalidArgumentError(`Expected a number from ${least} to ${greatest}.`);
    }
    return value;
  };
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of `500ms`, `30s`, `10m`, `24h`, `7d`, `2w`; null if it is none of these. */
function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text);
  return match === null ? null : Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}

/** Milliseconds of a duration; a bare number is seconds. */
export function duration(text: string): number {
  const ms = parseDuration(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
  if (ms === null) throw new InvalidArgumentError('Expected a duration such as 500ms, 5s or 2m.');
  return ms;
}

/** Epoch milliseconds of an RFC 3339 time, or of a duration before now. */
export function pointInTime(text: string): number {
  const ago = parseDuration(text);
  const at = ago === null ? parseDateTime(text) : Date.now() - ago;
  if (at === null) {
    throw new InvalidArgumentError(
      'Expected how long ago (30m, 24h, 7d) or a time such as 2026-11-24T09:30:00Z.',
    );
  }
  return at;
}

/** Collects a repeatable option; commas separate too, with spaces around them or not. */
export function list(text: string, before: string[] | undefined): string[] {
  const parts = text.split(',').map((part) => part.trim());
  return [...(before ?? []), ...parts.filter((part) => part !== '')];
}

export function label(
  text: string,
  before: Record<string, string> | undefined,
): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

export function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text.toUpperCase());
  if (level === undefined) {
    throw new InvalidArgumentError(`Expected one of ${LOG_LEVELS.join(', ')}.`);
  }
  return level;
}

export function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((known) => known === text.toUpperCase());
    if (value === undefined)
      throw new InvalidArgumentError(`Expected one of ${values.join(', ')}.`);
    return value;
  };
}

/** A repeatable option whose values are of a fixed set. */
export function someOf<T extends string>(values: readonly T[]) {
  return (text: string, before: T[] | undefined): T[] => [
    ...(before ?? []),
    ...list(text, undefined).map(oneOf(values)),
  ];
}

/** A name of the Encoding Standard that can be decoded here. */
export function encoding(text: string): string {
  try {
    return new TextDecoder(text).encoding;
  } catch {
    throw new InvalidArgumentError(
      'Expected an encoding by its name in the Encoding Standard, such as gbk, shift_jis or windows-1251.',
    );
  }
}

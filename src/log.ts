/**
 * The server's own log: JSON lines on standard output. It never holds variables of operations,
 * event contents or tokens; headers that carry credentials are redacted should they get in.
 */
import { LRUCache } from 'lru-cache';
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

const SECRET_PATHS = [
  'authorization',
  '*.authorization',
  'headers.authorization',
  'headers.cookie',
  '*.headers.authorization',
  '*.headers.cookie',
  'token',
  'password',
  'apiKey',
  'config.elasticsearchPassword',
  'config.elasticsearchApiKey',
];

/** `destination` takes one line per call; standard output unless a test gives another. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: { name: 'shiplog' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Of one kind one line in so long; and so many lines of all kinds. */
const SAME_AFTER_MS = 60_000;
const LINES_PER_MINUTE = 20;
const KINDS_MAX = 1_000;

/** Keeps the log readable where one sender can cause thousands of equal lines. */
export class LineLimiter {
  readonly #now: () => number;
  /** Of each kind, when it was told last and how many came since. */
  readonly #told = new LRUCache<string, { at: number; untold: number }>({ max: KINDS_MAX });
  #minute = 0;
  #lines = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many there were since the last line of this kind, where a line may be written now; else 0. */
  count(kind: string): number {
    const told = this.#told.get(kind) ?? { at: -Infinity, untold: 0 };
    this.#told.set(kind, told);
    told.untold++;
    if (!this.#mayTell(told.at)) return 0;
    const { untold } = told;
    told.at = this.#now();
    told.untold = 0;
    return untold;
  }

  #mayTell(toldAt: number): boolean {
    const now = this.#now();
    if (now - toldAt < SAME_AFTER_MS) return false;
    const minute = Math.floor(now / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#lines = 0;
    }
    return this.#lines++ < LINES_PER_MINUTE;
  }
}

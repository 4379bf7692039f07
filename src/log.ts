/**
 * The server's own log: JSON lines on standard output. It never holds variables of operations,
 * event contents or tokens; headers that carry credentials are redacted should they get in.
 */
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

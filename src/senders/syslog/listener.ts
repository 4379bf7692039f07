/**
 * Syslog over TCP. The protocol knows no answer, so whoever sends too fast or while the store is
 * away is held back by not being read: what was read is kept and tried until it is stored.
 */
import { isUtf8 } from 'node:buffer';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { ERROR_CODES, ShiplogError } from '../../domain/errors.ts';
import type { Reporter } from '../../ingest/rejections.ts';
import type { Log } from '../../log.ts';
import type { ForeignDocument } from '../foreign-document.ts';
import { BATCH, type Senders } from '../senders.ts';
import { FrameSplitter } from './frames.ts';
import { syslogDocument } from './message.ts';

export interface SyslogOptions {
  host: string;
  port: number;
  senders: Pick<Senders, 'take' | 'noteMisfit'>;
  now: () => number;
  log: Pick<Log, 'warn' | 'error'>;
}

export interface SyslogListener {
  /** `127.0.0.1:6514`: as it was bound. */
  readonly address: string;
  /** Takes no more connections, reads what is on its way, and resolves when that is stored. */
  close(): Promise<void>;
  metrics(): Record<string, number>;
}

/** Each may hold a chunk and a message that is not whole, some 256 KiB. */
const MAX_CONNECTIONS = 1_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** At the end: silence after which nothing more is on its way, and for how long at most. */
const QUIET_MS = 200;
const CLOSE_DEADLINE_MS = 5_000;

/** Throws BAD_INPUT that names the option where the address cannot be listened on. */
export async function listenSyslog(options: SyslogOptions): Promise<SyslogListener> {
  const { host, port, log } = options;
  const serving = new Map<Socket, Promise<void>>();
  const stop = new AbortController();
  const server = createServer((socket) => {
    const done = serve(socket, options, stop.signal);
    serving.set(socket, done);
    void done.then(() => serving.delete(socket));
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('drop', () => {
    log.warn(
      { connections: MAX_CONNECTIONS },
      'a syslog connection was refused: there are too many',
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenProblem(error, host, port)));
    server.listen({ host, port }, resolve);
  });
  const bound = server.address() as AddressInfo;
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    address: `${name}:${bound.port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of serving.keys()) {
        socket.end();
        socket.setTimeout(QUIET_MS, () => socket.destroy());
      }
      const deadline = setTimeout(() => {
        stop.abort();
        for (const socket of serving.keys()) socket.destroy();
      }, CLOSE_DEADLINE_MS);
      await Promise.all(serving.values());
      clearTimeout(deadline);
      await closed;
    },
    metrics: () => ({ syslog_connections: serving.size }),
  };
}

const REASONS: Readonly<Record<string, [option: string, reason: string]>> = {
  EADDRINUSE: ['SHIPLOG_SYSLOG_PORT', 'is in use by another program; choose another port'],
  EACCES: ['SHIPLOG_SYSLOG_PORT', 'may not be listened on by this user; choose one above 1023'],
  EADDRNOTAVAIL: ['SHIPLOG_SYSLOG_HOST', 'is not an address of this machine'],
  ENOTFOUND: ['SHIPLOG_SYSLOG_HOST', 'is not a known name'],
};

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const found = REASONS[error.code ?? ''];
  if (found === undefined) return error;
  const [field, reason] = found;
  const message = `${field}: ${host}:${port} ${reason}`;
  return new ShiplogError('BAD_INPUT', message, { field, cause: error });
}

/** Never rejects: one connection's end is nobody else's. */
async function serve(socket: Socket, options: SyslogOptions, stop: AbortSignal): Promise<void> {
  const frames = new FrameSplitter();
  const reporter: Reporter = { tokenId: null, address: socket.remoteAddress ?? null };
  const gone = (error: Error): void => void error;
  socket.on('error', gone);
  socket.setKeepAlive(true, 60_000);
  try {
    // The next chunk is asked for when this one is stored.
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      await store(frames.push(chunk), reporter, options, stop);
    }
  } catch (error) {
    if (isOurs(error)) options.log.error({ err: error }, 'syslog messages were lost');
  }
  await store(frames.end(), reporter, options, stop).catch((error: unknown) => {
    options.log.error({ err: error }, 'syslog messages were lost');
  });
  socket.destroy();
}

/** Not the socket's own end. */
function isOurs(error: unknown): boolean {
  return error instanceof ShiplogError || (error as NodeJS.ErrnoException).code === undefined;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

async function store(
  frames: Iterable<Buffer>,
  reporter: Reporter,
  options: SyslogOptions,
  stop: AbortSignal,
): Promise<void> {
  let batch: ForeignDocument[] = [];
  for (const frame of frames) {
    const text = utf8.decode(frame);
    // What stands for bytes that were none may have been sent as it is.
    if (text.includes('\ufffd') && !isUtf8(frame)) {
      options.senders.noteMisfit({ reason: 'text', field: '' }, 'syslog');
    }
    batch.push(syslogDocument(text, options.now()));
    if (batch.length < BATCH) continue;
    await take(batch, reporter, options, stop);
    batch = [];
  }
  if (batch.length > 0) await take(batch, reporter, options, stop);
}

/** Tries until it is stored; rejects when the server ends before that. */
async function take(
  batch: readonly ForeignDocument[],
  reporter: Reporter,
  { senders }: SyslogOptions,
  stop: AbortSignal,
): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      await senders.take(batch, reporter);
      return;
    } catch (error) {
      if (!isTemporary(error) || stop.aborted) throw error;
      const asked = (error as ShiplogError).retryAfterMs ?? 0;
      const ms = Math.max(asked, pause * (0.5 + Math.random() / 2));
      await wait(ms, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

function isTemporary(error: unknown): boolean {
  if (!(error instanceof ShiplogError)) return false;
  const { status } = ERROR_CODES[error.code];
  return status === 429 || status === 503;
}

/** Runs the real command: its output goes through untouched, while somebody listens. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';

export type ChildEnd =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: NodeJS.Signals }
  | { kind: 'not-started'; code: 126 | 127; reason: string; message: string };

/** The code that a shell would give. */
export function exitCodeOf(end: ChildEnd): number {
  return end.kind === 'signal' ? 128 + (constants.signals[end.signal] ?? 0) : end.code;
}

export interface Listener {
  onStdout(chunk: Buffer): void;
  onStderr(chunk: Buffer): void;
}

/**
 * A daemon that the command left behind may hold its output open for ever: so long after the
 * command's own end we still read.
 */
const AFTER_EXIT_MS = 500;

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Resolves when the command has ended and its output was read. Never rejects. */
export function runChild(argv: readonly string[], listener: Listener): Promise<ChildEnd> {
  const [file, ...args] = argv as [string, ...string[]];
  return new Promise((resolve) => {
    const notStarted = (error: NodeJS.ErrnoException): ChildEnd => {
      const reason = error.code ?? 'ERROR';
      const code = reason === 'ENOENT' ? 127 : 126;
      return { kind: 'not-started', code, reason, message: startFailure(file, reason) };
    };
    let child: ChildProcessByStdio<null, Readable, Readable>;
    try {
      child = spawn(file, args, { stdio: ['inherit', 'pipe', 'pipe'] });
    } catch (error) {
      // Some reasons (arguments too long) are thrown, others emitted.
      resolve(notStarted(error as NodeJS.ErrnoException));
      return;
    }
    const stopForwarding = forwardSignals((signal) => child.kill(signal));
    const finish = (end: ChildEnd) => {
      stopForwarding();
      resolve(end);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) finish(notStarted(error));
    });
    tee(child.stdout, process.stdout, listener.onStdout);
    tee(child.stderr, process.stderr, listener.onStderr);
    let timer: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      timer = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, AFTER_EXIT_MS);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (child.pid === undefined) return;
      finish(signal === null ? { kind: 'exit', code: code ?? 1 } : { kind: 'signal', signal });
    });
  });
}

function startFailure(file: string, reason: string): string {
  if (reason === 'ENOENT') return `${file}: command not found`;
  if (reason === 'EACCES') return `${file}: permission denied`;
  return `${file}: cannot be started (${reason})`;
}

/** A slow reader slows the command as a pipe would; when the reader is gone, so is the pipe. */
function tee(from: Readable, to: Writable, onChunk: (chunk: Buffer) => void): void {
  from.on('data', (chunk: Buffer) => {
    onChunk(chunk);
    if (!to.write(chunk)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  });
  to.on('error', () => from.destroy());
}

function forwardSignals(send: (signal: NodeJS.Signals) => void): () => void {
  const handlers = FORWARDED.map((signal) => {
    const handler = () => {
      // A terminal sends its Ctrl-C to the whole group: the command has it already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) send(signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}

/** Runs the real command: its output goes through untouched, while somebody listens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { openOutputPipes } from './pipes.ts';

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

/** Where the command's output goes on to. */
export interface Outlets {
  stdout: Writable;
  stderr: Writable;
}

/**
 * A daemon that the command left behind may hold its output open for ever: so long after the
 * command's own end we still wait for more.
 */
const AFTER_EXIT_MS = 500;
/** More than pipes and buffers can hold: what comes behind it was not printed by the command. */
const AFTER_EXIT_BYTES = 1_024 * 1_024;

/** SIGUSR1 too: without a handler it would open a debugger in us. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Resolves when the command has ended and its output was read and handed on. Never rejects. */
export function runChild(
  argv: readonly string[],
  listener: Listener,
  outlets: Outlets = process,
): Promise<ChildEnd> {
  const [file, ...args] = argv as [string, ...string[]];
  return new Promise((resolve) => {
    const notStarted = (error: NodeJS.ErrnoException): ChildEnd => {
      const reason = error.code ?? 'ERROR';
      const code = reason === 'ENOENT' ? 127 : 126;
      return { kind: 'not-started', code, reason, message: startFailure(file, reason) };
    };
    const pipes = openOutputPipes();
    const [out, err] = pipes?.writeEnds ?? (['pipe', 'pipe'] as const);
    let child: ChildProcess;
    try {
      child = spawn(file, args, { stdio: ['inherit', out, err] });
    } catch (error) {
      // Some reasons (arguments too long) are thrown, others emitted.
      pipes?.stdout.destroy();
      pipes?.stderr.destroy();
      resolve(notStarted(error as NodeJS.ErrnoException));
      return;
    } finally {
      pipes?.closeWriteEnds();
    }
    const flows = [
      new Flow(pipes?.stdout ?? (child.stdout as Readable), outlets.stdout, listener.onStdout),
      new Flow(pipes?.stderr ?? (child.stderr as Readable), outlets.stderr, listener.onStderr),
    ];
    const stopForwarding = forwardSignals((signal) => child.kill(signal));
    const finish = (end: ChildEnd) => {
      stopForwarding();
      resolve(end);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) finish(notStarted(error));
    });
    child.once('exit', async (code, signal) => {
      await Promise.all(flows.map((flow) => flow.rest()));
      finish(signal === null ? { kind: 'exit', code: code ?? 1 } : { kind: 'signal', signal });
    });
  });
}

function startFailure(file: string, reason: string): string {
  if (reason === 'ENOENT') return `${file}: command not found`;
  if (file === '') return 'the command is empty';
  if (reason === 'EACCES') return `${file}: permission denied`;
  return `${file}: cannot be started (${reason})`;
}

/** A slow reader slows the command as a pipe would; when the reader is gone, so is the pipe. */
class Flow {
  readonly #from: Readable;
  #bytes = 0;

  constructor(from: Readable, to: Writable, onChunk: (chunk: Buffer) => void) {
    this.#from = from;
    from.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      onChunk(chunk);
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('error', () => from.destroy());
    to.on('error', () => from.destroy());
  }

  /**
   * After the command's end: resolves when everything it printed was handed on, however slow the
   * reader is. Whoever else holds the output open is listened to for a moment only.
   */
  rest(): Promise<void> {
    const from = this.#from;
    if (from.closed) return Promise.resolve();
    const most = this.#bytes + AFTER_EXIT_BYTES;
    return new Promise((resolve) => {
      let timer = setTimeout(check, AFTER_EXIT_MS, this);
      from.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      function check(flow: Flow): void {
        const before = flow.#bytes;
        // The time may have passed while a slow reader held us up: first look what has come since.
        setImmediate(() =>
          setImmediate(() => {
            const goesOn = from.isPaused() || (flow.#bytes > before && flow.#bytes < most);
            if (goesOn) timer = setTimeout(check, AFTER_EXIT_MS / 10, flow);
            else from.destroy();
          }),
        );
      }
    });
  }
}

function forwardSignals(send: (signal: NodeJS.Signals) => void): () => void {
  const handlers = FORWARDED.map((signal) => {
    const handler = () => {
      // A terminal sends its Ctrl-C and Ctrl-\\ to the whole group: the command has it already.
      const isFromKeys = signal === 'SIGINT' || signal === 'SIGQUIT';
      if (!isFromKeys || !process.stdin.isTTY) send(signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}

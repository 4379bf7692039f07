/** Runs the real command: its output goes through untouched, while somebody listens. */
import type { Readable, Writable } from 'node:stream';
import { type Drained, drain } from './drain.ts';
import { openOutputPipes } from './pipes.ts';
import { type ProcessEnd, startProcess } from './process.ts';

export type ChildEnd =
  | ProcessEnd
  | { kind: 'not-started'; code: 126 | 127; reason: string; message: string };

/** The code that a shell would give. */
export function exitCodeOf(end: ChildEnd): number {
  return end.kind === 'signal' ? 128 + end.number : end.code;
}

export interface Listener {
  onStdout(chunk: Buffer): void;
  onStderr(chunk: Buffer): void;
  /** Something that the command left running still has its output: who reads that from now on. */
  onLeftRunning(reader: Drained): void;
}

/** Where the command's output goes on to. */
export interface Outlets {
  stdout: Writable;
  stderr: Writable;
}

/**
 * What the command left running may hold its output open for ever: so long after the command's
 * own end we still wait for more.
 */
const AFTER_EXIT_MS = 500;
/** More than pipes and buffers can hold: what comes behind it was not printed by the command. */
const AFTER_EXIT_BYTES = 1_024 * 1_024;

/** SIGUSR1 too: without a handler Node would open its debugger in this process. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Resolves when the command has ended and its output was read and handed on. Never rejects. */
export async function runChild(
  argv: readonly string[],
  listener: Listener,
  outlets: Outlets = process,
): Promise<ChildEnd> {
  const signals = forwardSignals();
  const pipes = openOutputPipes();
  const start = await startProcess(argv as [string, ...string[]], pipes?.writeEnds ?? null);
  pipes?.closeWriteEnds();
  if (start.kind === 'not-started') {
    pipes?.stdout.destroy();
    pipes?.stderr.destroy();
    signals.stop();
    const { reason } = start;
    const code = reason === 'ENOENT' ? 127 : 126;
    return { kind: 'not-started', code, reason, message: startFailure(argv[0] ?? '', reason) };
  }
  const child = start.process;
  signals.to(child.kill);
  const [out, err] = [pipes?.stdout ?? child.stdout, pipes?.stderr ?? child.stderr];
  const flows = [
    new Flow(out as Readable, outlets.stdout, listener.onStdout),
    new Flow(err as Readable, outlets.stderr, listener.onStderr),
  ];
  const end = await child.ended;
  const readers = await Promise.all(flows.map((flow) => flow.rest()));
  signals.stop();
  for (const kind of ['unread', 'thrown-away', 'passed-on'] as const) {
    if (!readers.includes(kind)) continue;
    listener.onLeftRunning(kind);
    break;
  }
  return end;
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
  readonly #to: Writable;
  #bytes = 0;

  constructor(from: Readable, to: Writable, onChunk: (chunk: Buffer) => void) {
    this.#from = from;
    this.#to = to;
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
   * reader is. Whoever else holds the output open is listened to for a moment only, and then gets
   * another reader, whose kind is the result; null: nobody does.
   */
  rest(): Promise<Drained | null> {
    const from = this.#from;
    if (from.closed || from.destroyed) return Promise.resolve(null);
    const most = this.#bytes + AFTER_EXIT_BYTES;
    return new Promise((resolve) => {
      let timer = setTimeout(check, AFTER_EXIT_MS, this);
      const closed = () => {
        clearTimeout(timer);
        resolve(null);
      };
      from.once('close', closed);
      function check(flow: Flow): void {
        const before = flow.#bytes;
        // The time may have passed while a slow reader held us up: first look what has come since.
        setImmediate(() =>
          setImmediate(() => {
            if (from.closed || from.destroyed) return;
            const goesOn = from.isPaused() || (flow.#bytes > before && flow.#bytes < most);
            if (goesOn) timer = setTimeout(check, AFTER_EXIT_MS / 10, flow);
            else {
              from.off('close', closed);
              resolve(drain(from, flow.#to));
            }
          }),
        );
      }
    });
  }
}

/** What comes before there is a command to send it to waits for it. */
function forwardSignals(): { to(send: (signal: NodeJS.Signals) => void): void; stop(): void } {
  let waiting: NodeJS.Signals[] | null = [];
  let send = (signal: NodeJS.Signals): void => void waiting?.push(signal);
  const handlers = FORWARDED.map((signal) => {
    const handler = () => {
      // A terminal sends its Ctrl-C and Ctrl-\\ to the whole group: the command has it already.
      const isFromKeys = signal === 'SIGINT' || signal === 'SIGQUIT';
      if (!isFromKeys || !process.stdin.isTTY) send(signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return {
    to(next) {
      send = next;
      for (const signal of waiting ?? []) next(signal);
      waiting = null;
    },
    stop() {
      for (const remove of handlers) remove();
    },
  };
}

/**
 * Starts the command, and knows how it ended. Node gives a process that a real-time signal ended
 * (34 to 64, which have no names) as one that exited with 0: the number is lost in its
 * `waitpid`. On Linux, where there are such signals, /proc shows it of a process that has ended
 * and was not reaped, so the command belongs to a thread that does not reap it before we looked.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { SpawnNews, SpawnOrder } from './spawner.ts';

export type ProcessEnd =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string; number: number };

export interface StartedProcess {
  kill(signal: NodeJS.Signals): void;
  /** Where 'pipe' was asked for. */
  stdout: Readable | null;
  stderr: Readable | null;
  /** Never rejects. */
  ended: Promise<ProcessEnd>;
}

export type Start =
  | { kind: 'started'; process: StartedProcess }
  | { kind: 'not-started'; reason: string };

/** Descriptors of this process for its stdout and stderr; null: pipes are to be made. */
type Outputs = readonly [number, number] | null;

/** SIGCHLD says when to look; this is for the case that it does not come. */
const LOOK_EVERY_MS = 1_000;

/** Its stdin is ours. Never rejects. */
export async function startProcess(
  [file, ...args]: readonly [string, ...string[]],
  outputs: Outputs,
): Promise<Start> {
  const isSeen = process.platform === 'linux' && statusOf(process.pid) !== null;
  const started = isSeen && outputs !== null ? await startInThread(file, args, outputs) : null;
  return started ?? startHere(file, args, outputs);
}

async function startInThread(
  file: string,
  args: readonly string[],
  outputs: readonly [number, number],
): Promise<Start | null> {
  const mayReap = new SharedArrayBuffer(4);
  const workerData: SpawnOrder = { file, args, stdio: [0, ...outputs], mayReap };
  const news = Promise.withResolvers<SpawnNews | null>();
  const end = Promise.withResolvers<SpawnNews | null>();
  let thread: Worker;
  try {
    thread = new Worker(new URL('./spawner.ts', import.meta.url), { workerData });
  } catch {
    return null;
  }
  // Also where there is no memory for one more thread, or it cannot be read.
  const gone = () => {
    news.resolve(null);
    end.resolve(null);
  };
  thread.on('error', gone).on('exit', gone);
  thread.on('message', (said: SpawnNews) => (said.kind === 'ended' ? end : news).resolve(said));
  const first = await news.promise;
  if (first === null || first.kind !== 'started') return first as Start | null;
  const { pid } = first;
  const ended = untilDead(pid).then(async (status) => {
    Atomics.store(new Int32Array(mayReap), 0, 1);
    Atomics.notify(new Int32Array(mayReap), 0);
    return endOf((await end.promise) as Extract<SpawnNews, { kind: 'ended' }> | null, status);
  });
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal);
    } catch {
      // It is not ours any more (it may have become another user), or it has gone.
    }
  };
  return { kind: 'started', process: { kill, ended, stdout: null, stderr: null } };
}

/** Resolves with its wait status, as far as we may see it, when it is dead and not reaped. */
function untilDead(pid: number): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      const found = statusOf(pid);
      if (found !== null && !found.isDead) return;
      process.off('SIGCHLD', look);
      clearInterval(timer);
      resolve(found?.status ?? 0);
    };
    process.on('SIGCHLD', look);
    const timer = setInterval(look, LOOK_EVERY_MS);
    look();
  });
}

/**
 * Of proc(5): whether only its wait status is left, and that status (0 for another user's).
 * A first thread that has ended while others run is not the end.
 */
function statusOf(pid: number): { isDead: boolean; status: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program may hold anything, parentheses too.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const isDead = (fields[0] === 'Z' || fields[0] === 'X') && Number(fields[17]) <= 1;
    return { isDead, status: Number(fields[49]) };
  } catch {
    return null;
  }
}

function endOf(
  said: { code: number | null; signal: NodeJS.Signals | null } | null,
  status: number,
): ProcessEnd {
  const number = status & 0x7f;
  if (said?.signal) {
    return { kind: 'signal', signal: said.signal, number: constants.signals[said.signal] };
  }
  if (number !== 0) return { kind: 'signal', signal: `SIG${number}`, number };
  return { kind: 'exit', code: said?.code ?? (status >> 8 || 1) };
}

function startHere(file: string, args: readonly string[], outputs: Outputs): Promise<Start> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) =>
      resolve({ kind: 'not-started', reason: error.code ?? 'ERROR' });
    let child: ChildProcess;
    try {
      const [out, err] = outputs ?? (['pipe', 'pipe'] as const);
      child = spawn(file, args, { stdio: ['inherit', out, err] });
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
      return;
    }
    child.once('error', failed);
    if (child.pid === undefined) return;
    const ended = new Promise<ProcessEnd>((done) => {
      child.once('exit', (code, signal) => done(endOf({ code, signal }, 0)));
    });
    const kill = (signal: NodeJS.Signals) => void child.kill(signal);
    const { stdout, stderr } = child;
    resolve({ kind: 'started', process: { kill, ended, stdout, stderr } });
  });
}

/**
 * A thread that starts the command and then stands still until it is told to look after it. A
 * thread that stands still does not reap: so the one that told it can read from /proc how the
 * command ended, before Node forgets it (see process.ts).
 */
import { spawn } from 'node:child_process';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';

export interface SpawnOrder {
  file: string;
  args: readonly string[];
  /** Descriptors of the process, for the command's stdin, stdout and stderr. */
  stdio: readonly [number, number, number];
  /** One Int32: not 0 when the command may be reaped. */
  mayReap: SharedArrayBuffer;
}

export type SpawnNews =
  | { kind: 'started'; pid: number }
  | { kind: 'not-started'; reason: string }
  | { kind: 'ended'; code: number | null; signal: NodeJS.Signals | null };

const port = parentPort as MessagePort;
const { file, args, stdio, mayReap } = workerData as SpawnOrder;
const tell = (news: SpawnNews): void => port.postMessage(news);
const failed = (error: NodeJS.ErrnoException): void =>
  tell({ kind: 'not-started', reason: error.code ?? 'ERROR' });

try {
  const child = spawn(file, args, { stdio: [...stdio] });
  child.once('error', failed);
  child.once('exit', (code, signal) => tell({ kind: 'ended', code, signal }));
  if (child.pid !== undefined) {
    tell({ kind: 'started', pid: child.pid });
    Atomics.wait(new Int32Array(mayReap), 0, 0);
  }
} catch (error) {
  // Some reasons (arguments too long) are thrown, others emitted.
  failed(error as NodeJS.ErrnoException);
}

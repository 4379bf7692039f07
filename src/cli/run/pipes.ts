/**
 * What a command prints into. The pipes that Node gives a child are sockets, and the child can
 * tell: a socket cannot be opened again by name, so `> /dev/stderr` fails, and a writer whose
 * reader has gone sees a connection reset instead of SIGPIPE. A command should run as if nobody
 * were there, so it gets real pipes where the system can make them.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface OutputPipes {
  /** For the child: its stdout and stderr. */
  writeEnds: readonly [number, number];
  stdout: Readable;
  stderr: Readable;
  /** Once the child has its own: the readers end only when nobody can write any more. */
  closeWriteEnds(): void;
}

/** Null where it cannot be done (no `mkfifo`, no directory to write to): take Node's then. */
export function openOutputPipes(): OutputPipes | null {
  const opened: number[] = [];
  let directory: string | null = null;
  try {
    directory = mkdtempSync(join(tmpdir(), 'shiplog-run-'));
    const names = [join(directory, 'stdout'), join(directory, 'stderr')] as const;
    const made = spawnSync('mkfifo', ['-m', '600', ...names], { stdio: 'ignore' });
    if (made.status !== 0) return null;
    const open = (name: string, flags: number) => {
      const descriptor = openSync(name, flags);
      opened.push(descriptor);
      return descriptor;
    };
    // The reader first, without waiting: a writer waits for a reader.
    const [out, err] = names.map((name) => ({
      read: open(name, constants.O_RDONLY | constants.O_NONBLOCK),
      write: open(name, constants.O_WRONLY),
    })) as [{ read: number; write: number }, { read: number; write: number }];
    const reader = (descriptor: number) =>
      new Socket({ fd: descriptor, readable: true, writable: false });
    return {
      writeEnds: [out.write, err.write],
      stdout: reader(out.read),
      stderr: reader(err.read),
      closeWriteEnds() {
        closeSync(out.write);
        closeSync(err.write);
      },
    };
  } catch {
    for (const descriptor of opened) closeSync(descriptor);
    return null;
  } finally {
    // Whoever has them open needs their names no more.
    if (directory !== null) rmSync(directory, { recursive: true, force: true });
  }
}

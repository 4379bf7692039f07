/**
 * What a command leaves running has the command's output, and would die with its next line
 * (SIGPIPE) when we end and nobody reads that output any more. So it gets a reader that lives as
 * long as it does: `cat`, to where our own output goes if that is a file or a terminal. A pipe
 * would be held open by it, and whoever waits for the end of our output would wait for ever:
 * there the rest is read and thrown away.
 */
import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

export type Drained = 'passed-on' | 'thrown-away' | 'unread';

/** From now on somebody else reads; `from` is ours no more. Never rejects. */
export function drain(from: Readable, to: Writable): Promise<Drained> {
  const descriptor = outletOf(to);
  const [file, ...args] =
    descriptor === null
      ? (['cat'] as const)
      : (['sh', '-c', 'cat || exec cat > /dev/null'] as const);
  return new Promise((resolve) => {
    const done = (result: Drained) => {
      from.destroy();
      resolve(result);
    };
    // Its working directory would keep a file system from being unmounted.
    const reader = spawn(file, args, {
      stdio: [from, descriptor ?? 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    reader.once('error', () => done('unread'));
    reader.once('spawn', () => done(descriptor === null ? 'thrown-away' : 'passed-on'));
    reader.unref();
  });
}

/** Its descriptor, if it may be held open by others. */
function outletOf(to: Writable): number | null {
  const descriptor = 'fd' in to ? to.fd : undefined;
  if (typeof descriptor !== 'number') return null;
  try {
    const status = fstatSync(descriptor);
    return status.isFile() || status.isCharacterDevice() ? descriptor : null;
  } catch {
    return null;
  }
}

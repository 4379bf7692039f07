/** Programs that follow a file and go on for ever. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCli } from '../../support/cli.ts';
import type { Sending } from './program.ts';

export interface Daemon {
  command: readonly [string, ...string[]];
  args: readonly string[];
  env?: Record<string, string>;
}

/** Runs it until it has sent everything, and ends it. */
export async function runDaemon({ command, args, env = {} }: Daemon, to: Sending): Promise<void> {
  const running = startCli(args, { command, env });
  to.signal.addEventListener('abort', () => running.child.kill('SIGKILL'));
  try {
    await Promise.race([
      to.stored(to.lines.length),
      running.ended.then(({ code, stderr, stdout }) => {
        throw new Error(`it ended with ${code}: ${stderr.slice(-2_000)} ${stdout.slice(-2_000)}`);
      }),
    ]);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${running.stderr().slice(-2_000)}`);
  } finally {
    running.child.kill('SIGTERM');
    await running.ended;
  }
}

/** The file that it follows. */
export async function logFile({ folder, lines }: Sending): Promise<string> {
  const path = join(folder, 'shop.log');
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

/** The command line as a real process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const NODE = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A test that fails half-way must not leave a process that waits for its server for ever. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** What was printed so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when the predicate is true of what was printed; rejects at the process's end. */
  until(predicate: (stdout: string, stderr: string) => boolean): Promise<void>;
}

export interface StartOptions {
  env?: Record<string, string>;
  input?: string;
  /** In a process group of its own, to which signals can be sent. */
  detached?: boolean;
  /** Instead of src/main.ts with the project's own Node. */
  command?: readonly [string, ...string[]];
}

/** Starts `shiplog …args` without the environment's own SHIPLOG_ settings. */
export function startCli(args: readonly string[], options: StartOptions = {}): Running {
  const [file, ...before] = options.command ?? [NODE, MAIN];
  const clean = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('SHIPLOG_') && name !== 'FORCE_COLOR' && name !== 'NO_COLOR',
  );
  const child = spawn(file, [...before, ...args], {
    env: { ...Object.fromEntries(clean), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: options.detached ?? false,
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = () => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const until = (predicate: (stdout: string, stderr: string) => boolean) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!predicate(stdout, stderr)) return;
        listeners.delete(check);
        resolve();
      };
      listeners.add(check);
      check();
      ended.then(() => {
        check();
        reject(new Error(`ended before it printed what was waited for:\n${stdout}\n${stderr}`));
      }, reject);
    });
  return { child, ended, stdout: () => stdout, stderr: () => stderr, until };
}

export function runCli(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return startCli(args, options).ended;
}

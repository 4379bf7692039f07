/** Scripts that use shiplog.sh, each with a spool of its own, and the server that they report to. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Ended, runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { CLIENTS, isInstalled } from './agent.ts';
import { type StoredTask, taskOnce } from './stored.ts';

export const LONG_MS = 120_000;
export const SCRIPT = join(CLIENTS, 'sh', 'shiplog.sh');
/** dash, or what else is the system's, and the one whose `wait` and settings differ. */
export const SHELLS = ['sh', ...(isInstalled('bash') ? ['bash'] : [])];
export const NOBODY = 'http://127.0.0.1:9';

export interface Scripts {
  /** There while tests run. */
  readonly server: TestServer;
  spoolOf(name: string): string;
  /** Runs a program; `name` is that of its spool. */
  sh(name: string, program: string, env?: Record<string, string>, shell?: string): Promise<Ended>;
  /**
   * Runs the body in a script that stops at the first command that fails; `name` is that of its
   * spool and of the task whose step it reports.
   */
  script(name: string, body: string, env?: Record<string, string>, shell?: string): Promise<Ended>;
  /** What is stored of the task of a script, once its step has ended. */
  ended(name: string): Promise<StoredTask>;
}

/** For the tests of the `describe` that it is called in. */
export function useScripts(): Scripts {
  let directory = '';
  let started: TestServer | null = null;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shiplog-sh-'));
    started = await startServer();
  }, LONG_MS);
  afterAll(async () => {
    await started?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const running = (): TestServer => {
    if (started === null) throw new Error('there is a server only while tests run');
    return started;
  };
  const spoolOf = (name: string): string => join(directory, name);
  const sh: Scripts['sh'] = (name, program, env = {}, shell = 'sh') =>
    runCli(['-c', program], {
      command: [shell],
      env: { SHIPLOG_SH: SCRIPT, SHIPLOG_URL: running().url, SHIPLOG_SPOOL: spoolOf(name), ...env },
    });
  return {
    get server() {
      return running();
    },
    spoolOf,
    sh,
    script: (name, body, env, shell) =>
      sh(
        name,
        `set -eu; . "$SHIPLOG_SH"; shiplog_open; shiplog_step ${name} web-1 download\n${body}`,
        env,
        shell,
      ),
    ended: (name) =>
      taskOnce(running(), name, 'web-1', ({ run }) => run?.step?.status !== undefined),
  };
}

export function messagesOf(task: StoredTask): string[] {
  return task.events.map(({ message }) => message ?? '');
}

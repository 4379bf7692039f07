/**
 * A real Docker engine for tests, from Debian's packages, unpacked into a folder of their own:
 * nothing is installed, and with the process group everything of it is gone.
 * `SHIPLOG_TEST_DOCKER_CACHE` names another place than `.cache/docker`.
 */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { unpackDebian } from './debian-packages.ts';

const run = promisify(execFile);
const PACKAGES = [
  'docker.io',
  'containerd',
  'runc',
  'tini',
  'libdevmapper1.02.1',
  'busybox-static',
];
const CACHE =
  process.env.SHIPLOG_TEST_DOCKER_CACHE ?? resolve(import.meta.dirname, '../../.cache/docker');

export interface DockerEngine {
  socket: string;
  /** What `docker …` printed. */
  docker(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** null: there can be one; else why not. */
export async function whyNoDocker(): Promise<string | null> {
  if (process.platform !== 'linux') return 'a Docker engine needs Linux';
  if (process.getuid?.() !== 0) return 'a Docker engine is started by root';
  try {
    await unpackDebian([PACKAGES], join(CACHE, 'root'));
    return null;
  } catch (error) {
    return `Debian's packages of Docker cannot be had: ${(error as Error).message.split('\n')[0]}`;
  }
}

const APPLETS = ['sh', 'echo', 'head', 'tr', 'printf', 'sleep', 'seq', 'usleep'];

/** With the image `shop/web:1.4.2`, which is busybox. `env`: of the daemon. */
export async function startDocker(env: Record<string, string> = {}): Promise<DockerEngine> {
  const root = join(CACHE, 'root');
  const home = mkdtempSync(join(tmpdir(), 'shiplog-docker-'));
  const socket = join(home, 'docker.sock');
  writeFileSync(join(home, 'daemon.json'), '{}');
  const environment = {
    ...process.env,
    ...env,
    PATH: `${root}/usr/bin:${root}/usr/sbin:${root}/sbin:${process.env.PATH}`,
    LD_LIBRARY_PATH: `${root}/lib/x86_64-linux-gnu:${root}/usr/lib/x86_64-linux-gnu`,
  };
  const places = ['data-root', 'exec-root', 'pidfile'].flatMap((name) => [
    `--${name}`,
    join(home, name),
  ]);
  // In a process tree of its own: with its first process all of it ends.
  const daemon = spawn(
    'unshare',
    [
      ...[
        '--fork',
        '--pid',
        '--kill-child=KILL',
        '--mount',
        '--mount-proc',
        'tini',
        '--',
        'dockerd',
      ],
      ...['--storage-driver=vfs', '--iptables=false', '--ip6tables=false', '--bridge=none'],
      ...['-H', `unix://${socket}`, '--config-file', join(home, 'daemon.json'), ...places],
    ],
    { env: environment, stdio: 'ignore' },
  );
  const docker = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(
      join(root, 'usr/bin/docker'),
      ['-H', `unix://${socket}`, ...args],
      {
        env: environment,
      },
    );
    return stdout.trim();
  };
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolveEnd) => daemon.once('exit', resolveEnd));
    daemon.kill('SIGKILL');
    await ended;
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await vi.waitFor(() => docker('version'), { timeout: 20_000, interval: 100 });
    await docker('import', await imageOf(root, home), 'shop/web:1.4.2');
  } catch (error) {
    await stop();
    throw error;
  }
  return { socket, docker, stop };
}

async function imageOf(root: string, home: string): Promise<string> {
  const bin = join(home, 'image/bin');
  mkdirSync(bin, { recursive: true });
  await copyFile(join(root, 'bin/busybox'), join(bin, 'busybox'));
  chmodSync(join(bin, 'busybox'), 0o755);
  for (const applet of APPLETS) symlinkSync('busybox', join(bin, applet));
  const tar = join(home, 'image.tar');
  await run('tar', ['-C', join(home, 'image'), '-cf', tar, '.']);
  return tar;
}

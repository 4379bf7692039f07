/** Hosts are directories, each with a service on a port of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { EXAMPLE } from './build.ts';

export interface Host {
  name: string;
  directory: string;
  port: number;
}

/** Two mirrors with the same artefact, which is damaged on the second. */
export function makeArtefacts(work: string, shop: string, version: string): void {
  const unpacked = join(work, 'artefact');
  mkdirSync(unpacked);
  copyFileSync(shop, join(unpacked, 'shop'));
  writeFileSync(join(unpacked, 'VERSION'), `${version}\n`);
  const name = `shop-${version}.tar.gz`;
  for (const mirror of ['mirror-1', 'mirror-2']) {
    mkdirSync(join(work, 'artefacts', mirror), { recursive: true });
  }
  const packed = join(work, 'artefacts/mirror-1', name);
  execFileSync('tar', ['-czf', packed, '-C', unpacked, 'shop', 'VERSION']);
  const bytes = readFileSync(packed);
  const sum = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(`${packed}.sha256`, `${sum}\n`);
  const damaged = join(work, 'artefacts/mirror-2', name);
  writeFileSync(damaged, bytes.subarray(0, bytes.length / 2));
  writeFileSync(`${damaged}.sha256`, `${sum}\n`);
}

export async function layOutHosts(
  work: string,
  shop: string,
  names: readonly string[],
  version: string,
  bad: string | undefined,
): Promise<Host[]> {
  const ports = await freePorts(names.length);
  return names.map((name, index) => {
    const directory = join(work, 'hosts', name);
    const port = ports[index] as number;
    mkdirSync(join(directory, 'app'), { recursive: true });
    copyFileSync(shop, join(directory, 'app/shop'));
    writeFileSync(join(directory, 'app/VERSION'), `${version}\n`);
    writeFileSync(join(directory, 'port'), `${port}\n`);
    writeFileSync(join(directory, 'mirror'), name === bad ? 'mirror-2\n' : 'mirror-1\n');
    return { name, directory, port };
  });
}

/** By the same scripts that a deployment runs. */
export async function startOldVersion(
  hosts: readonly Host[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  for (const { name, directory } of hosts) {
    for (const step of ['env-init', 'service-start']) {
      const script = spawn('sh', [join(EXAMPLE, 'steps', `${step}.sh`)], {
        cwd: directory,
        env: { ...env, HOST: name },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const [code] = (await once(script, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`${name}: ${step} failed`);
    }
  }
}

export function stopServices(work: string): void {
  const hosts = join(work, 'hosts');
  if (!existsSync(hosts)) return;
  for (const name of readdirSync(hosts)) {
    try {
      process.kill(Number(readFileSync(join(hosts, name, 'service.pid'), 'utf8')), 'SIGKILL');
    } catch {
      // It was not started, or has ended.
    }
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/**
 * A whole release system on this machine: services behind nginx, an agent that runs the steps on
 * their hosts, a release service that tells it to, and users who must not notice. Agent and release
 * service report to one task of Shiplog.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { build, EXAMPLE } from './build.ts';
import { layOutHosts, makeArtefacts, startOldVersion, stopServices } from './hosts.ts';
import { startLoad } from './load.ts';
import { startNginx } from './nginx.ts';

const OLD = '1.0.0';
const NEW = '1.1.0';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '20' },
    batch: { type: 'string', default: '4' },
    task: { type: 'string', default: `shop-${new Date().toISOString().slice(0, 19)}` },
    url: { type: 'string', default: process.env.SHIPLOG_URL ?? 'http://localhost:4000' },
  },
});
const names = Array.from({ length: Number(values.hosts) }, (_, i) => `web-${i + 1}`);
/** Its mirror has a damaged artefact. */
const bad = names[2];
const token = process.env.SHIPLOG_TOKEN ?? '';

const built = build();
const work = mkdtempSync(join(tmpdir(), 'shiplog-release-'));
const children: ChildProcess[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    cleanUp();
    process.exit(1);
  });
}
try {
  await release();
} finally {
  cleanUp();
}

async function release(): Promise<void> {
  makeArtefacts(work, built.shop, NEW);
  const hosts = await layOutHosts(work, built.shop, names, OLD, bad);
  const nginx = await startNginx(work, hosts);
  children.push(nginx.process);
  const env = {
    ...process.env,
    SHIPLOG_URL: values.url,
    SHIPLOG_TOKEN: token,
    HOSTS_DIR: join(work, 'hosts'),
    STEPS_DIR: join(EXAMPLE, 'steps'),
    SPOOL: join(work, 'spool'),
    ARTEFACTS: `${nginx.url}/artefacts`,
    NGINX: nginx.program,
    NGINX_DIR: nginx.directory,
  };
  await startOldVersion(hosts, { ...env, VERSION: OLD });
  const agent = spawn(built.agent, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(agent);
  const agentUrl = await addressOf(agent);

  const load = startLoad(nginx.url);
  const code = await run('java', ['-cp', built.releaseService, 'release.ReleaseService'], {
    ...env,
    AGENT_URL: agentUrl,
    TASK: values.task,
    HOSTS: names.join(','),
    BATCH: values.batch,
    VERSION: NEW,
  });
  const { requests, failed, versions } = await load.stop();
  agent.kill('SIGTERM');
  await once(agent, 'exit');
  console.log(`\n${requests} requests through nginx meanwhile, ${failed.length} failed`);
  for (const reason of failed.slice(0, 5)) console.log(`  ${reason}`);
  console.log(`answered at the end by ${versions.join(' and ')}`);
  console.log(`\nThe whole story:\n\n  shiplog task ${values.task} --failed`);
  process.exitCode = code === 0 && failed.length === 0 ? 0 : 1;
}

/** Which the agent says as its first line. */
async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the agent has no output');
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /^listening (.*)$/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error('the agent did not start');
}

async function run(file: string, args: string[], env: NodeJS.ProcessEnv): Promise<number | null> {
  const child = spawn(file, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  children.push(child);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

function cleanUp(): void {
  for (const child of children) child.kill('SIGTERM');
  stopServices(work);
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}

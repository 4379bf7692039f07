import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fail, host } from './host.ts';

const DEADLINE_MS = 15_000;

rmSync(host.portFile, { force: true });
const log = openSync(host.logFile, 'a');
const service = spawn(process.execPath, [join(host.app, 'server.mjs')], {
  env: { ...process.env, PORT_FILE: host.portFile },
  // A service that keeps the step's output open would keep the step's log open.
  stdio: ['ignore', log, log],
  detached: true,
});
service.unref();
writeFileSync(host.pidFile, String(service.pid));
console.log(`started, pid ${service.pid}`);

const deadline = Date.now() + DEADLINE_MS;
for (;;) {
  const health = await checkHealth();
  if (health?.version === host.version) {
    console.log(`healthy: ${JSON.stringify(health)}`);
    break;
  }
  if (Date.now() > deadline) fail(`not healthy within ${DEADLINE_MS / 1_000} s`);
  await wait(50);
}

async function checkHealth(): Promise<{ version: string } | null> {
  if (!existsSync(host.portFile)) return null;
  const port = readFileSync(host.portFile, 'utf8');
  try {
    const signal = AbortSignal.timeout(1_000);
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal });
    return response.ok ? ((await response.json()) as { version: string }) : null;
  } catch {
    return null;
  }
}

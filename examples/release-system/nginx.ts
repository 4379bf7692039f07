/** A real nginx in front of the hosts, with one file for each that is in rotation. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts, type Host } from './hosts.ts';

export interface Nginx {
  program: string;
  directory: string;
  url: string;
  process: ChildProcess;
}

/** Where Debian installs it is not on every user's PATH. */
const PLACES = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx'];

/** Null: it is not installed. */
export function findNginx(): string | null {
  return PLACES.find((place) => spawnSync(place, ['-v']).status === 0) ?? null;
}

const START_DEADLINE_MS = 10_000;

export async function startNginx(work: string, hosts: readonly Host[]): Promise<Nginx> {
  const program = findNginx();
  if (program === null) throw new Error('nginx is not installed (apt-get install nginx)');
  const directory = join(work, 'nginx');
  mkdirSync(join(directory, 'upstreams'), { recursive: true });
  for (const { name, port } of hosts) {
    const server = `server 127.0.0.1:${port} max_fails=0;\n`;
    writeFileSync(join(directory, 'upstreams', `${name}.conf`), server);
  }
  const [port] = (await freePorts(1)) as [number];
  writeFileSync(join(directory, 'nginx.conf'), configuration(work, port));
  const args = ['-p', directory, '-c', 'nginx.conf', '-g', 'daemon off;'];
  const process = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const until = Date.now() + START_DEADLINE_MS;
  while (!(await isListening(port))) {
    if (process.exitCode !== null || Date.now() > until) throw new Error('nginx did not start');
    await pause(50);
  }
  return { program, directory, url: `http://127.0.0.1:${port}`, process };
}

/**
 * Nothing here hides a failure: a request that one host refuses is not tried at another. `deferred`
 * leaves a connection with the kernel until its request is there, so none is with a worker that ends.
 */
function configuration(work: string, port: number): string {
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path temporary; proxy_temp_path temporary; fastcgi_temp_path temporary;
  uwsgi_temp_path temporary; scgi_temp_path temporary;
  keepalive_timeout 0;
  upstream shop { include upstreams/*.conf; }
  server {
    listen 127.0.0.1:${port} deferred;
    location / { proxy_pass http://shop; proxy_next_upstream off; proxy_connect_timeout 5s; }
    location /artefacts/ { alias ${join(work, 'artefacts')}/; }
  }
}
`;
}

async function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}

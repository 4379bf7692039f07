/** What the seven steps run and print on a simulated host. */
import type { JsonObject } from '../../domain/event/event.ts';
import type { Random } from './random.ts';

export interface HostContext {
  host: string;
  service: string;
  version: string;
  previous: string;
  environment: string;
  port: number;
  checksum: string;
  /** The size of the artefact. */
  bytes: number;
}

export interface StepScript {
  step: string;
  /** Milliseconds. */
  medianMs: number;
  command(context: HostContext): string;
  params(context: HostContext): JsonObject;
  /** Printed in order; each several times where a step prints more lines than there are. */
  lines: readonly ((context: HostContext, random: Random) => string)[];
}

const artefact = (c: HostContext) => `${c.service}-${c.version}.tar.gz`;
const app = (c: HostContext) => `/data/app/${c.service}`;

export const STEP_SCRIPTS: readonly StepScript[] = [
  {
    step: 'backup',
    medianMs: 8_000,
    command: (c) =>
      `tar -czf /data/backup/${c.service}-${c.previous}.tar.gz -C /data/app ${c.service}`,
    params: (c) => ({ source: app(c), target: '/data/backup', keep: 5 }),
    lines: [
      (c) => `archiving ${app(c)} (version ${c.previous})`,
      (c, r) => `${c.service}/lib: ${r.integer(180, 420)} files, ${r.integer(40, 160)} MiB`,
      (c, r) => `${c.service}/static: ${r.integer(900, 3_200)} files, ${r.integer(8, 60)} MiB`,
      (_, r) => `compression ratio ${(2 + r.fraction() * 2).toFixed(2)}`,
      (c, r) => `removed old archive /data/backup/${c.service}-${r.integer(1, 9)}.0.0.tar.gz`,
    ],
  },
  {
    step: 'download',
    medianMs: 12_000,
    command: (c) =>
      `curl -fsSL --retry 0 -o /data/tmp/${artefact(c)} https://artifacts.example.com/${c.service}/${artefact(c)}`,
    params: (c) => ({
      url: `https://artifacts.example.com/${c.service}/${artefact(c)}`,
      sha256: c.checksum,
      bytes: c.bytes,
    }),
    lines: [
      (_, r) => `resolved artifacts.example.com to 10.40.${r.integer(0, 7)}.${r.integer(2, 250)}`,
      () => 'TLS 1.3 connection established',
      (c) => `content-length: ${c.bytes}`,
      (_, r) => `throughput ${(r.logNormal(24, 0.4)).toFixed(1)} MiB/s`,
      (c) => `sha256 of ${artefact(c)}: ${c.checksum}`,
    ],
  },
  {
    step: 'unpack',
    medianMs: 4_000,
    command: (c) => `tar -xzf /data/tmp/${artefact(c)} -C ${app(c)}/releases/${c.version}`,
    params: (c) => ({ target: `${app(c)}/releases/${c.version}`, strip: 1 }),
    lines: [
      (c) => `unpacking ${artefact(c)}`,
      (_, r) => `extracted ${r.integer(400, 900)} files`,
      (c) => `symlink ${app(c)}/current -> releases/${c.version}`,
    ],
  },
  {
    step: 'env-init',
    medianMs: 1_200,
    command: (c) => `${app(c)}/current/bin/env-init --environment ${c.environment}`,
    params: (c) => ({ environment: c.environment, template: 'conf.d/env.tmpl' }),
    lines: [
      (c) => `read ${app(c)}/current/conf.d/env.tmpl`,
      (_, r) => `${r.integer(38, 44)} variables written`,
      (c) => `JAVA_OPTS for ${c.host}: heap ${c.port % 2 ? '2g' : '4g'}`,
    ],
  },
  {
    step: 'nginx-offline',
    medianMs: 2_000,
    command: (c) => `nginx-upstream disable ${c.service} ${c.host}:${c.port} && nginx -s reload`,
    params: (c) => ({ upstream: `${c.service}_backend`, server: `${c.host}:${c.port}` }),
    lines: [
      () => 'nginx: the configuration file /etc/nginx/nginx.conf syntax is ok',
      () => 'nginx: configuration file /etc/nginx/nginx.conf test is successful',
      (_, r) => `waiting for ${r.integer(0, 40)} open connections to drain`,
    ],
  },
  {
    step: 'service-start',
    medianMs: 9_000,
    command: (c) => `systemctl restart ${c.service}`,
    params: (c) => ({ unit: `${c.service}.service`, health: `http://127.0.0.1:${c.port}/health` }),
    lines: [
      (c) => `Stopped ${c.service} ${c.previous}`,
      (c, r) => `Started ${c.service} ${c.version}, pid ${r.integer(2_000, 60_000)}`,
      (_, r) => `connection pool: ${r.integer(8, 32)} connections to orders-db-${r.integer(1, 3)}`,
      (_, r) => `cache warmed in ${r.integer(300, 2_400)} ms`,
      (c) => `GET http://127.0.0.1:${c.port}/health -> 200`,
    ],
  },
  {
    step: 'nginx-online',
    medianMs: 1_800,
    command: (c) => `nginx-upstream enable ${c.service} ${c.host}:${c.port} && nginx -s reload`,
    params: (c) => ({ upstream: `${c.service}_backend`, server: `${c.host}:${c.port}` }),
    lines: [
      (c) => `enabling ${c.host}:${c.port} in upstream ${c.service}_backend`,
      () => 'nginx: configuration file /etc/nginx/nginx.conf test is successful',
      (_, r) => `first request answered in ${r.integer(4, 90)} ms`,
    ],
  },
];

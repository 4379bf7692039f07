/** Why a step fails on a simulated host, with the lines that such a failure prints. */
import type { StepError } from '../../domain/event/event.ts';
import type { Random } from './random.ts';
import type { HostContext } from './steps.ts';

export interface Cause {
  step: string;
  /** How often it occurs, relative to the other causes. */
  weight: number;
  status: 'FAILED' | 'TIMED_OUT';
  exitCode: number;
  /** A second attempt can succeed. */
  isTransient: boolean;
  describe(context: HostContext, random: Random): { error: StepError; lines: string[] };
}

export const CAUSES: readonly Cause[] = [
  {
    step: 'download',
    weight: 3,
    status: 'FAILED',
    exitCode: 1,
    isTransient: true,
    describe(c, random) {
      const got = random.hex(64);
      const message = `checksum mismatch: ${c.service}-${c.version}.tar.gz has sha256 ${got}, expected ${c.checksum}`;
      return {
        error: { code: 'CHECKSUM_MISMATCH', message },
        lines: [`sha256sum: WARNING: 1 computed checksum did NOT match`, message],
      };
    },
  },
  {
    step: 'download',
    weight: 2,
    status: 'FAILED',
    exitCode: 56,
    isTransient: true,
    describe(c, random) {
      const got = Math.floor(c.bytes * random.fraction());
      const message = 'curl: (56) Recv failure: Connection reset by peer';
      return {
        error: { code: 'CONNECTION_RESET', message },
        lines: [`received ${got} of ${c.bytes} bytes`, message],
      };
    },
  },
  {
    step: 'unpack',
    weight: 3,
    status: 'FAILED',
    exitCode: 2,
    isTransient: false,
    describe(c) {
      const message = `tar: ${c.service}/lib/app.jar: Cannot write: No space left on device`;
      return {
        error: { code: 'DISK_FULL', message },
        lines: [
          '/dev/nvme0n1p2   40G   40G     0 100% /data',
          message,
          'tar: Exiting with failure status due to previous errors',
        ],
      };
    },
  },
  {
    step: 'env-init',
    weight: 1,
    status: 'FAILED',
    exitCode: 64,
    isTransient: false,
    describe(c) {
      const message = `env-init: variable DATABASE_POOL_SIZE has no value for environment ${c.environment}`;
      return { error: { code: 'VARIABLE_MISSING', message }, lines: [message] };
    },
  },
  {
    step: 'service-start',
    weight: 4,
    status: 'FAILED',
    exitCode: 1,
    isTransient: false,
    describe(c, random) {
      const message = `listen tcp 0.0.0.0:${c.port}: bind: address already in use`;
      return {
        error: { code: 'PORT_IN_USE', message },
        lines: [
          message,
          `port ${c.port} is held by pid ${random.integer(900, 40_000)} (${c.service} ${c.previous})`,
          `${c.service}.service: Main process exited, code=exited, status=1/FAILURE`,
        ],
      };
    },
  },
  {
    step: 'service-start',
    weight: 4,
    status: 'TIMED_OUT',
    exitCode: 124,
    isTransient: true,
    describe(c) {
      const message = `health check http://127.0.0.1:${c.port}/health did not answer 200 within 60 s`;
      return {
        error: { code: 'HEALTH_CHECK_TIMEOUT', message },
        lines: [
          `GET http://127.0.0.1:${c.port}/health -> 503 {"status":"starting"}`,
          `GET http://127.0.0.1:${c.port}/health -> 503 {"status":"starting"}`,
          message,
        ],
      };
    },
  },
  {
    step: 'nginx-online',
    weight: 2,
    status: 'FAILED',
    exitCode: 1,
    isTransient: false,
    describe(c) {
      const message = `nginx: [emerg] host not found in upstream "${c.host}" in /etc/nginx/conf.d/${c.service}.conf:12`;
      return {
        error: { code: 'NGINX_CONFIG_TEST_FAILED', message },
        lines: [message, 'nginx: configuration file /etc/nginx/nginx.conf test failed'],
      };
    },
  },
];

/** One of the causes, by weight. */
export function pickCause(random: Random, causes: readonly Cause[]): Cause {
  let rest = random.fraction() * causes.reduce((sum, cause) => sum + cause.weight, 0);
  for (const cause of causes) {
    rest -= cause.weight;
    if (rest < 0) return cause;
  }
  return causes.at(-1) as Cause;
}

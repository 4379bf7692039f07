/** What a step knows about the host that it works on: its directory, and what is deployed. */
import { join } from 'node:path';

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

const root = variable('DEPLOY_ROOT');

export const host = {
  name: variable('DEPLOY_HOST'),
  version: variable('DEPLOY_VERSION'),
  artefactUrl: variable('DEPLOY_ARTEFACT_URL'),
  sha256: variable('DEPLOY_SHA256'),
  app: join(root, 'app'),
  backup: join(root, 'backup.tar.gz'),
  download: join(root, 'download.tar.gz'),
  pidFile: join(root, 'service.pid'),
  portFile: join(root, 'service.port'),
  logFile: join(root, 'service.log'),
  upstream: join(root, 'upstream.conf'),
};

/** Ends the step with a reason; `shiplog run` reports the last line on stderr as the failure. */
export function fail(reason: string): never {
  console.error(reason);
  process.exit(1);
}

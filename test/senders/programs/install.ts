/**
 * Gets the programs that are not npm's into `.cache/senders`: `npm run senders:install`. From
 * Debian's packages and PyPI, in some seconds; what is there stays.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { unpackDebian } from '../../support/debian-packages.ts';
import { DEBIAN, VENV } from './places.ts';

const PACKAGES = [
  ['rsyslog', 'rsyslog-elasticsearch'],
  ['syslog-ng-core', 'syslog-ng-mod-http'],
  ['libsearch-elasticsearch-perl'],
] as const;
const PYTHON_CLIENT = 'elasticsearch==9.5.1';

await unpackDebian(PACKAGES, DEBIAN);
if (!existsSync(join(VENV, 'bin/python'))) {
  execFileSync('python3', ['-m', 'venv', VENV], { stdio: 'inherit' });
  execFileSync(join(VENV, 'bin/pip'), ['install', '--quiet', PYTHON_CLIENT], { stdio: 'inherit' });
}

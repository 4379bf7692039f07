/** Where `npm run senders:install` puts what is not installed with npm. */
import { join, resolve } from 'node:path';

export const CACHE =
  process.env.SHIPLOG_TEST_SENDERS_CACHE ?? resolve(import.meta.dirname, '../../../.cache/senders');
/** Packages of Debian, unpacked: rsyslog and syslog-ng cannot both be installed. */
export const DEBIAN = join(CACHE, 'debian');
export const VENV = join(CACHE, 'venv');

/** Programs of those packages, with their own libraries. */
export function debianEnvironment(): Record<string, string> {
  const at = (...paths: string[]) => paths.map((path) => join(DEBIAN, path));
  return {
    PATH: [...at('usr/sbin', 'usr/bin'), process.env.PATH].join(':'),
    LD_LIBRARY_PATH: at(
      'lib/x86_64-linux-gnu',
      'usr/lib/x86_64-linux-gnu',
      'usr/lib/syslog-ng',
    ).join(':'),
    PERL5LIB: at('usr/share/perl5', 'usr/lib/x86_64-linux-gnu/perl5/5.36').join(':'),
  };
}

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fail, host } from './host.ts';

const sha256 = createHash('sha256').update(readFileSync(host.download)).digest('hex');
console.log(`sha256 ${sha256}`);
if (sha256 !== host.sha256) {
  console.error(`expected ${host.sha256}`);
  fail(`checksum mismatch: the download of ${host.version} is corrupt, nothing was unpacked`);
}
execFileSync('tar', ['-xzf', host.download, '-C', host.app], { stdio: 'inherit' });
console.log(`unpacked ${host.version} into ${host.app}`);

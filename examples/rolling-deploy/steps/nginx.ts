// Takes the host out of rotation, or back into it: here a line in a file, there nginx's upstreams.
import { readFileSync, writeFileSync } from 'node:fs';
import { fail, host } from './host.ts';

const state = process.argv[2];
if (state === 'offline') {
  writeFileSync(host.upstream, `# ${host.name} is down for a deployment\n`);
} else if (state === 'online') {
  const port = readFileSync(host.portFile, 'utf8');
  writeFileSync(host.upstream, `server 127.0.0.1:${port}; # ${host.name}\n`);
} else {
  fail('expected offline or online');
}
console.log(readFileSync(host.upstream, 'utf8').trim());

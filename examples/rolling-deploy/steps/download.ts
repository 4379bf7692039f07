import { writeFile } from 'node:fs/promises';
import { fail, host } from './host.ts';

console.log(`GET ${host.artefactUrl}`);
const response = await fetch(host.artefactUrl, { signal: AbortSignal.timeout(10_000) });
if (!response.ok) fail(`${host.artefactUrl} answered ${response.status}`);
const bytes = Buffer.from(await response.arrayBuffer());
await writeFile(host.download, bytes);
console.log(`${bytes.length} bytes written to ${host.download}`);

/** The artefact store of this example: one tar.gz, made on the fly, served over HTTP. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface Artefact {
  bytes: Buffer;
  sha256: string;
}

/** Writes the service in a version into a directory. */
export function layOut(directory: string, version: string): void {
  mkdirSync(directory, { recursive: true });
  cpSync(new URL('app/', import.meta.url), directory, { recursive: true });
  writeFileSync(join(directory, 'VERSION'), `${version}\n`);
}

export function buildArtefact(directory: string, version: string): Artefact {
  const source = join(directory, 'build');
  const file = join(directory, 'artefact.tar.gz');
  layOut(source, version);
  execFileSync('tar', ['-czf', file, '-C', source, '.']);
  const bytes = readFileSync(file);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Every host gets the artefact, except one, whose copy is damaged on the way. */
export function serveArtefact(
  { bytes }: Artefact,
  corruptFor: string | null,
): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const host = new URL(request.url ?? '/', 'http://localhost').searchParams.get('host');
    const sent = Buffer.from(bytes);
    if (host === corruptFor) sent.fill(0, sent.length >> 1, (sent.length >> 1) + 16);
    response.end(sent);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({ url: `http://127.0.0.1:${port}/orders.tar.gz`, server });
    });
  });
}

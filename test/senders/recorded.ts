/** Bytes of real programs, as they were taken down from their sockets. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** `otlp/collector.request`. */
export function recorded(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../fixtures', name));
}

/** Sends requests as they are; resolves to the answers when there is one for each of them. */
export function replay(port: number, requests: Buffer): Promise<Buffer> {
  const expected = bodiesOf(requests).length;
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answers = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      answers = Buffer.concat([answers, chunk]);
      if (bodiesOf(answers).length >= expected) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answers));
    socket.write(requests);
  });
}

/** The bodies of whole messages, chunks joined. */
export function bodiesOf(messages: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  let at = 0;
  while (at < messages.length) {
    const blank = messages.indexOf('\r\n\r\n', at);
    if (blank === -1) break;
    const head = messages.subarray(at, blank).toString('latin1').toLowerCase();
    at = blank + 4;
    if (/transfer-encoding: *chunked/.test(head)) {
      const parts: Buffer[] = [];
      for (;;) {
        const end = messages.indexOf('\r\n', at);
        if (end === -1) return bodies;
        const size = Number.parseInt(messages.subarray(at, end).toString('latin1'), 16);
        parts.push(messages.subarray(end + 2, end + 2 + size));
        at = end + 2 + size + 2;
        if (at > messages.length) return bodies;
        if (size === 0) break;
      }
      bodies.push(Buffer.concat(parts));
    } else {
      const length = Number(/content-length: *(\d+)/.exec(head)?.[1] ?? 0);
      at += length;
      if (at > messages.length) return bodies;
      bodies.push(messages.subarray(at - length, at));
    }
  }
  return bodies;
}

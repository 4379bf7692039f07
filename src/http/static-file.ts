/** A file that is handed out as it is: compressed beforehand, and kept for ever where its name says its content. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendText } from './reply.ts';

export interface StaticFile {
  type: string;
  plain: Buffer;
  gzip: Buffer;
  /** null: there is none. */
  brotli: Buffer | null;
}

export const FOR_EVER = 'public, max-age=31536000, immutable';

export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: StaticFile,
  headers: Record<string, string>,
): void {
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const [encoding, content] =
    file.brotli !== null && /\bbr\b/.test(accepted)
      ? ['br', file.brotli]
      : /\bgzip\b/.test(accepted)
        ? ['gzip', file.gzip]
        : [null, file.plain];
  sendText(response, 200, file.type, content, {
    vary: 'Accept-Encoding',
    ...headers,
    ...(encoding === null ? {} : { 'content-encoding': encoding }),
  });
}

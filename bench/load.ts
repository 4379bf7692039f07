/**
 * A closed loop of HTTP requests over plain sockets: each connection sends the next request when
 * the answer to the last is in. Lean, so that the load costs less than what is measured.
 */
import { connect, type Socket } from 'node:net';

export interface LoadResult {
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that the check refused. */
  bad: number;
}

export interface LoadOptions {
  port: number;
  path: string;
  connections: number;
  seconds: number;
  contentType?: string;
  /** The body of the next request. */
  body: () => string | Buffer;
  /** Whether an answer is a good one; by its text. */
  good: (answer: string) => boolean;
  /** Exactly these bodies, from the end, instead of `body` for `seconds`. */
  queue?: string[];
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const times: number[] = [];
  let bad = 0;
  const endAt = performance.now() + options.seconds * 1_000;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: options.connections }, () =>
      connection(options, endAt, (ms, answer) => {
        times.push(ms);
        if (!options.good(answer)) bad++;
      }),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  times.sort((a, b) => a - b);
  const at = (q: number) => times[Math.floor(q * (times.length - 1))] ?? Number.NaN;
  return {
    requests: times.length,
    perSecond: times.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    bad,
  };
}

function connection(
  options: LoadOptions,
  endAt: number,
  answered: (ms: number, answer: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(options.port, '127.0.0.1');
    socket.setNoDelay(true);
    let sentAt = 0;
    let text = '';
    let headEnd = -1;
    let length = 0;
    const send = () => {
      const body = options.queue === undefined ? options.body() : (options.queue.pop() as string);
      sentAt = performance.now();
      const head = `POST ${options.path} HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\ncontent-type: ${
        options.contentType ?? 'application/json'
      }\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
      if (typeof body === 'string') socket.write(head + body);
      else {
        socket.cork();
        socket.write(head);
        socket.write(body);
        socket.uncork();
      }
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (headEnd < 0) {
        headEnd = text.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const match = /content-length: (\d+)/i.exec(text.slice(0, headEnd));
        // Chunked answers end with an empty chunk; only the peers send them.
        length = match === null ? -1 : Number(match[1]);
      }
      const whole = length >= 0 ? text.length >= headEnd + 4 + length : text.endsWith('0\r\n\r\n');
      if (!whole) return;
      answered(performance.now() - sentAt, text);
      text = '';
      headEnd = -1;
      const over =
        options.queue === undefined ? performance.now() >= endAt : options.queue.length === 0;
      if (over) {
        socket.destroy();
        resolve();
      } else send();
    });
  });
}

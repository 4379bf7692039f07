import { once } from 'node:events';
import { createRequire } from 'node:module';
import pino from 'pino';
import type declared from 'pino-elasticsearch';
import type { Program } from './program.ts';

// It declares a default export, and has none.
const pinoElasticsearch = createRequire(import.meta.url)(
  'pino-elasticsearch',
) as typeof declared.default;

export const PINO: Program = {
  name: 'pino',
  title: 'pino-elasticsearch',
  taskOf: (day) => `index/pino/${day}`,
  async send({ url, lines, stored }) {
    const sink = pinoElasticsearch({
      node: `${url}/es`,
      index: 'pino',
      esVersion: 8,
      opType: 'create',
      flushBytes: 100_000,
      flushInterval: 50,
    });
    const lost: unknown[] = [];
    sink.on('insertError', (error) => lost.push(error));
    const logger = pino({ base: { host: 'web-1' } }, sink);
    const inserted = once(sink, 'insert');
    // It sends five requests at a time, each of which it tries four times: one after another, so
    // that no request meets more than one fault.
    for (let from = 0; from < lines.length; from += 30) {
      for (const line of lines.slice(from, from + 30)) logger.info(line);
      await Promise.race([stored(Math.min(from + 30, lines.length)), inserted]);
    }
    sink.end();
    await inserted;
    if (lost.length > 0) throw new Error(`${lost.length} lines are dropped`);
  },
};

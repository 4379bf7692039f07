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
  async send({ url, lines }) {
    const sink = pinoElasticsearch({
      node: `${url}/es`,
      index: 'pino',
      esVersion: 8,
      opType: 'create',
      flushBytes: 4_000,
    });
    const lost: unknown[] = [];
    sink.on('insertError', (error) => lost.push(error));
    const logger = pino({ base: { host: 'web-1' } }, sink);
    const inserted = once(sink, 'insert');
    for (const line of lines) logger.info(line);
    sink.end();
    await inserted;
    if (lost.length > 0) throw new Error(`${lost.length} lines are dropped`);
  },
};

/**
 * Programs that take minutes to be built, and all others once more, on both engines. Only by name:
 * `npm test -- senders-slow`. What is built stays in `.cache/senders`.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { COLLECTOR } from './programs/collector.ts';
import { FILEBEAT } from './programs/filebeat.ts';
import { whyNot } from './programs/program.ts';
import { QUICK } from './programs/quick.ts';
import { GO, JAVA, OPENTELEMETRY_JAVA } from './programs/scripts.ts';
import { describePrograms } from './programs/through-everything.ts';

const BUILT = [FILEBEAT, COLLECTOR, GO, JAVA, ...OPENTELEMETRY_JAVA];
const BUILD_MS = 40 * 60_000;

beforeAll(async () => {
  // One after another: each of them takes all cores.
  for (const program of BUILT) if (whyNot(program) === null) await program.build?.();
}, BUILD_MS);

describePrograms('real programs on SQLite', BUILT, async () => ({}));

describe('real programs on Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());
  describePrograms('each', [...BUILT, ...QUICK], async () => ({
    SHIPLOG_STORE: 'elasticsearch',
    SHIPLOG_ELASTICSEARCH_URL: elasticsearch.url,
    SHIPLOG_ELASTICSEARCH_REPLICAS: '0',
    SHIPLOG_ELASTICSEARCH_PREFIX: elasticsearch.prefix(),
  }));
});

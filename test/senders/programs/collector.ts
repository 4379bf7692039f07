import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goProgram } from './built.ts';
import { logFile, runDaemon } from './daemon.ts';
import type { Program } from './program.ts';
import { recipe } from './recipe.ts';

export const COLLECTOR: Program = {
  name: 'collector',
  title: 'OpenTelemetry Collector, filelog to otlphttp',
  needs: ['go'],
  build: () => goProgram('collector'),
  taskOf: (day) => `service/shop/${day}`,
  async send(to) {
    const queue = join(to.folder, 'queue');
    await mkdir(queue);
    const settings = recipe('otlp', 'The Collector', [
      ['http://shiplog:4000', to.url],
      ['    headers: { authorization: Bearer shp_… }\n', ''],
      ['/var/lib/otelcol', queue],
      ['/var/log/shop/*.log', await logFile(to)],
      ['max_elapsed_time: 0', 'max_elapsed_time: 0, initial_interval: 100ms'],
      // It would listen on a port.
      ['service:\n', 'service:\n  telemetry: { metrics: { level: none } }\n'],
      ['send_batch_max_size: 8192', 'send_batch_size: 30, send_batch_max_size: 30'],
    ]);
    const file = join(to.folder, 'collector.yaml');
    await writeFile(file, settings);
    await runDaemon({ command: [await goProgram('collector')], args: ['--config', file] }, to);
  },
};

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filebeat } from './built.ts';
import { logFile, runDaemon } from './daemon.ts';
import type { Program } from './program.ts';
import { recipe } from './recipe.ts';

const VERSION = '7.17.29';

export const FILEBEAT: Program = {
  name: 'filebeat',
  title: `Filebeat ${VERSION}`,
  needs: ['go'],
  build: () => filebeat(VERSION),
  taskOf: (day) => `index/filebeat-${VERSION}/${day}`,
  async send(to) {
    const settings = recipe('elasticsearch', 'Filebeat', [
      [
        'hosts: ["http://shiplog.example:4000/es"]',
        `hosts: ["${to.url}/es"]\n  bulk_max_size: 30\n  backoff.init: 100ms`,
      ],
      ['/var/log/shop/*.log', await logFile(to)],
    ]);
    const file = join(to.folder, 'filebeat.yml');
    await writeFile(file, settings);
    await runDaemon(
      {
        command: [await filebeat(VERSION)],
        env: { SHIPLOG_TOKEN: 'any' },
        args: ['-e', '-c', file, '--path.home', to.folder, '--path.data', join(to.folder, 'data')],
      },
      to,
    );
  },
};

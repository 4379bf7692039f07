import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logFile, runDaemon } from './daemon.ts';
import { DEBIAN, debianEnvironment } from './places.ts';
import type { Program } from './program.ts';
import { recipe } from './recipe.ts';

const RSYSLOG_MODULES = 'usr/lib/x86_64-linux-gnu/rsyslog';

export const RSYSLOG: Program = {
  name: 'rsyslog',
  title: 'rsyslog, omelasticsearch',
  needs: [join(DEBIAN, RSYSLOG_MODULES, 'omelasticsearch.so')],
  taskOf: (day) => `program/rsyslog/${day}`,
  async send(to) {
    const { port } = new URL(to.url);
    const settings = recipe('elasticsearch', 'rsyslog', [
      ['http://shiplog.example:4000', to.url],
      ['serverport="4000"', `serverport="${port}"`],
      ['queue.type=', 'queue.dequeueBatchSize="30" queue.type='],
      ['action.resumeInterval="5"', 'action.resumeInterval="1"'],
    ]);
    const file = join(to.folder, 'rsyslog.conf');
    await writeFile(
      file,
      `global(workDirectory="${to.folder}")
module(load="imfile")
module(load="omelasticsearch")
input(type="imfile" file="${await logFile(to)}" tag="rsyslog:")
${settings}`,
    );
    const pid = join(to.folder, 'rsyslog.pid');
    const modules = join(DEBIAN, RSYSLOG_MODULES);
    await runDaemon(
      {
        command: [join(DEBIAN, 'usr/sbin/rsyslogd')],
        args: ['-n', '-f', file, '-i', pid, '-M', modules],
        env: debianEnvironment(),
      },
      to,
    );
  },
};

const SYSLOG_NG_MODULES = 'usr/lib/syslog-ng/3.38';

export const SYSLOG_NG: Program = {
  name: 'syslog-ng',
  title: 'syslog-ng, http()',
  needs: [join(DEBIAN, SYSLOG_NG_MODULES, 'libhttp.so')],
  taskOf: (day) => `program/syslog-ng/${day}`,
  async send(to) {
    const settings = recipe('elasticsearch', 'syslog-ng', [
      ['http://shiplog.example:4000', to.url],
      ['batch-lines(100) batch-timeout(1000)', 'batch-lines(30) batch-timeout(100)'],
      ['time-reopen(5)', 'time-reopen(1)'],
      ['reliable(yes)', `reliable(yes) dir("${to.folder}")`],
    ]);
    const file = join(to.folder, 'syslog-ng.conf');
    await writeFile(
      file,
      `@version: 3.38
source s_shop { file("${await logFile(to)}" follow-freq(0.1) flags(no-parse) program-override("syslog-ng")); };
${settings}
log { source(s_shop); destination(d_shiplog); };
`,
    );
    const places = ['persist-file', 'control', 'pidfile'].flatMap((name) => [
      `--${name}`,
      join(to.folder, name),
    ]);
    const modules = join(DEBIAN, SYSLOG_NG_MODULES);
    await runDaemon(
      {
        command: [join(DEBIAN, 'usr/sbin/syslog-ng')],
        args: ['-F', '--no-caps', '-f', file, '--module-path', modules, ...places],
        env: debianEnvironment(),
      },
      to,
    );
  },
};

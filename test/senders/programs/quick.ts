import { ELASTICSEARCH_JS } from './elasticsearch-js.ts';
import { OPENTELEMETRY_JS } from './opentelemetry-js.ts';
import { PINO } from './pino.ts';
import { PERL, PYTHON } from './scripts.ts';
import { RSYSLOG, SYSLOG_NG } from './syslog-daemons.ts';

/** What installs in seconds. */
export const QUICK = [
  ...ELASTICSEARCH_JS,
  ...OPENTELEMETRY_JS,
  PINO,
  PYTHON,
  PERL,
  RSYSLOG,
  SYSLOG_NG,
];

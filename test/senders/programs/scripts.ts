/** Programs that read what they send from standard input, and end when it is sent. */
import { join } from 'node:path';
import { startCli } from '../../support/cli.ts';
import { goProgram, javaPrograms } from './built.ts';
import { DEBIAN, debianEnvironment, VENV } from './places.ts';
import { documentsOf, type Program } from './program.ts';

interface Script {
  command: () => Promise<readonly [string, ...string[]]> | readonly [string, ...string[]];
  /** Of what it reads: one line for each line. */
  reads: 'documents' | 'lines';
  env?: Record<string, string>;
}

/** It is told the address and its own name. */
function script(program: Omit<Program, 'send'>, { command, reads, env = {} }: Script): Program {
  return {
    ...program,
    async send({ url, lines, signal }) {
      const texts =
        reads === 'lines' ? lines : documentsOf(lines).map((one) => JSON.stringify(one));
      const running = startCli([url, program.name], {
        command: await command(),
        env,
        input: texts.map((text) => `${text}\n`).join(''),
      });
      signal.addEventListener('abort', () => running.child.kill('SIGKILL'));
      const { code, stderr } = await running.ended;
      if (code !== 0) throw new Error(`it ended with ${code}: ${stderr.slice(-2_000)}`);
    },
  };
}

const PYTHON_PATH = join(VENV, 'bin/python');

export const PYTHON = script(
  {
    name: 'python',
    title: 'Python elasticsearch 9, helpers.streaming_bulk',
    needs: [PYTHON_PATH],
    taskOf: (day) => `index/python/${day}`,
  },
  { command: () => [PYTHON_PATH, join(import.meta.dirname, 'python.py')], reads: 'documents' },
);

export const PERL = script(
  {
    name: 'perl',
    title: 'Perl Search::Elasticsearch 8, bulk_helper',
    needs: ['perl', join(DEBIAN, 'usr/share/perl5/Search/Elasticsearch.pm')],
    taskOf: (day) => `index/perl/${day}`,
  },
  {
    command: () => ['perl', join(import.meta.dirname, 'perl.pl')],
    reads: 'documents',
    env: debianEnvironment(),
  },
);

export const GO = script(
  {
    name: 'go',
    title: 'go-elasticsearch 9, BulkIndexer',
    needs: ['go'],
    build: () => goProgram('go-elasticsearch'),
    taskOf: (day) => `index/go/${day}`,
  },
  { command: async () => [await goProgram('go-elasticsearch')], reads: 'documents' },
);

const JAVA_NEEDS = ['java', 'javac', 'mvn'];
const java = async (name: string) => ['java', '-cp', await javaPrograms(), name] as const;

export const JAVA = script(
  {
    name: 'java',
    title: 'elasticsearch-java 9, BulkIngester',
    needs: JAVA_NEEDS,
    build: javaPrograms,
    taskOf: (day) => `index/java/${day}`,
  },
  { command: () => java('BulkIngest'), reads: 'documents' },
);

const OTLP_JAVA: Omit<Program, 'send'> = {
  name: 'otlp-java',
  title: 'OpenTelemetry Java exporter',
  needs: JAVA_NEEDS,
  build: javaPrograms,
  taskOf: (day) => `service/otlp-java/${day}`,
};
const EXPORT: Script = { command: () => java('Export'), reads: 'lines' };

export const OPENTELEMETRY_JAVA = [
  script(OTLP_JAVA, EXPORT),
  script(
    {
      ...OTLP_JAVA,
      name: 'otlp-java-closed',
      title:
        'OpenTelemetry Java exporter, which throws away a batch whose first connection is closed',
      taskOf: (day) => `service/otlp-java-closed/${day}`,
      faults: ['closed', 'pass'],
      loses: 30,
    },
    EXPORT,
  ),
];

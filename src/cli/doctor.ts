/**
 * `shiplog doctor`: whether what a server needs is there, and what to do where it is not. Takes
 * the settings as `shiplog serve` does; needs no server, and changes nothing.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { type Config, configFlags, isLoopback, parseConfig } from '../config.ts';
import { type Finding, fine, problem, warning } from '../domain/finding.ts';
import { withoutCredentials } from '../domain/text/address.ts';
import { parseTokens } from '../domain/token.ts';
import { EXIT, messageOf } from './exit.ts';
import { forTerminal, Output, type Paint, painter, type Style } from './output.ts';

const MARKS: Record<Finding['state'], [mark: string, style: Style]> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  problem: ['✗', 'red'],
};

export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('check the settings and the store, and say what to do; changes nothing')
    .option('--json', 'print NDJSON on stdout: check, state, detail, advice')
    .option('--no-color', 'no colours (also NO_COLOR)')
    .action(doctor);
  for (const flag of configFlags()) command.addOption(flag.hideHelp());
  command.addHelpText(
    'after',
    '\nTakes every setting of `shiplog serve`, by flag or environment. Exit code: 1 if there is a ✗.',
  );
}

async function doctor(flags: Record<string, unknown>): Promise<void> {
  const output = new Output();
  const paint = painter(process.stdout, flags.color !== false);
  let sound = true;
  const tell = async (finding: Finding) => {
    if (finding.state === 'problem') sound = false;
    if (flags.json === true) await output.json(finding);
    else await output.write(`${line(finding, paint)}\n`);
  };
  const config = parseConfig(flags, process.env);
  if ('problems' in config) {
    for (const text of config.problems) {
      await tell(problem('settings', text, 'Correct it; shiplog serve --help lists the settings.'));
    }
  } else {
    for (const finding of checkSettings(config.ok)) await tell(finding);
    await checkStore(config.ok, tell);
  }
  if (!sound) process.exitCode = EXIT.failed;
}

async function checkStore(
  config: Config,
  tell: (finding: Finding) => Promise<void>,
): Promise<void> {
  const { examineStore } = await import('../store/open-store.ts');
  try {
    await examineStore(config, tell);
  } catch (error) {
    await tell(problem('store', withoutCredentials(messageOf(error)), 'Correct the setting.'));
  }
}

function line({ check, state, detail, advice }: Finding, paint: Paint): string {
  const [mark, style] = MARKS[state];
  const todo = advice === null ? '' : ` → ${advice}`;
  return `${paint(style, mark)} ${paint('bold', check)}: ${forTerminal(`${detail}${todo}`)}`;
}

function* checkSettings(config: Config): Generator<Finding> {
  const { store, host, port, tokensFile } = config;
  const where =
    store === 'sqlite'
      ? `SQLite in ${config.dataDir}`
      : `Elasticsearch, ${config.elasticsearchPrefix}-*`;
  yield fine('settings', `${where}; serves ${host}:${port}`);
  if (tokensFile !== null) yield checkTokens(tokensFile, Date.now());
  else if (isLoopback(host)) yield fine('tokens', 'none: only this machine can reach the server');
  else {
    yield warning(
      'tokens',
      `none, and ${host} can be reached by others: they may read and write everything`,
      'Make some with `shiplog tokens create`, set SHIPLOG_TOKENS_FILE, and leave --insecure out.',
    );
  }
}

function checkTokens(file: string, now: number): Finding {
  try {
    const records = parseTokens(readFileSync(file, 'utf8'));
    const valid = records.filter(
      ({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > now,
    );
    const detail = `${valid.length} of ${records.length} in ${file} are valid`;
    if (valid.length === 0) {
      return warning('tokens', detail, 'Nobody can use the server: `shiplog tokens create`.');
    }
    if ((statSync(file).mode & 0o022) !== 0) {
      return warning('tokens', `${file} can be written by other users`, `chmod 600 ${file}`);
    }
    return fine('tokens', detail);
  } catch (error) {
    return problem(
      'tokens',
      `${file}: ${messageOf(error)}`,
      `Make it: shiplog tokens create --scope admin --file ${file}`,
    );
  }
}

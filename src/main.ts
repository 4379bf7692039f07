/**
 * The command line: argv → a command → an exit code. Commands are registered here and nowhere
 * else; each is one file in `cli/` that exports a function taking the program.
 *
 * Exit codes: 0 ok, 1 failed, 2 usage, 3 server unreachable, 4 not allowed, 130 interrupted
 * (`shiplog run` mirrors its command's code instead).
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { registerBackup } from './cli/backup.ts';
import { registerDocker } from './cli/docker.ts';
import { registerDoctor } from './cli/doctor.ts';
import { CliError, EXIT, messageOf } from './cli/exit.ts';
import { registerExport } from './cli/export.ts';
import { registerFinish } from './cli/finish.ts';
import { registerImport } from './cli/import.ts';
import { registerLogs } from './cli/logs.ts';
import { registerMapping } from './cli/mapping.ts';
import { say } from './cli/output.ts';
import { registerRebuild } from './cli/rebuild.ts';
import { registerRun } from './cli/run.ts';
import { registerSearch } from './cli/search.ts';
import { registerSend } from './cli/send.ts';
import { registerSimulate } from './cli/simulate.ts';
import { registerStart } from './cli/start.ts';
import { registerTail } from './cli/tail.ts';
import { registerTask } from './cli/task.ts';
import { registerTasks } from './cli/tasks.ts';
import { registerTokens } from './cli/tokens.ts';

/** In the order of `shiplog --help`. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  registerServe,
  registerTasks,
  registerTask,
  registerTail,
  registerLogs,
  registerSearch,
  registerRun,
  registerStart,
  registerFinish,
  registerSend,
  registerImport,
  registerExport,
  registerDocker,
  registerSimulate,
  registerTokens,
  registerMapping,
  registerBackup,
  registerRebuild,
  registerDoctor,
];

/** The server's options are a table of their own (config.ts), so its arguments go there as they are. */
function registerServe(program: Command): void {
  program
    .command('serve')
    .description('run the server (shiplog serve --help lists its settings)')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]')
    .action(async (args: string[]) => {
      // Loaded on demand: clients must not pay for the server's modules.
      const { serve } = await import('./cli/serve.ts');
      process.exitCode = await serve(args);
    });
}

function buildProgram(): Command {
  const program = new Command('shiplog')
    .description('Deployment logs you can query and follow.')
    .version(readVersion())
    .enablePositionalOptions()
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .configureOutput({ outputError: (text) => say(text.trimEnd()) })
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 server unreachable, 4 not allowed, 130 interrupted.',
    );
  for (const register of COMMANDS) register(program);
  return program;
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What people try when they know no command yet. */
function asCommand(argv: readonly string[]): readonly string[] {
  const [first, second] = argv;
  if (first === undefined) return ['--help'];
  if (first === '-v' || first === 'version') return ['--version'];
  return first === 'help' && (second === '--help' || second === '-h') ? ['--help'] : argv;
}

/** Runs one command; resolves to the process's exit code, after saying what went wrong. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    await buildProgram().parseAsync(asCommand(argv), { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof CliError) {
      say(`shiplog: ${error.message}${error.hint === null ? '' : `\n  → ${error.hint}`}`);
      return error.exitCode;
    }
    // Not expected, so a fault of ours: whoever reports it needs the place.
    const details = error instanceof Error ? error.stack : undefined;
    say(`shiplog: ${details ?? messageOf(error)}`);
    return EXIT.failed;
  }
}

// Nobody reads what is said: no reason to fail.
process.stderr.on('error', () => {});
process.exitCode = await main(process.argv.slice(2));

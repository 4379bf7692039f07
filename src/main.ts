/**
 * The command line: argv → a command → an exit code. Commands are registered here and nowhere
 * else; each is one file in `cli/` that exports a function taking the program.
 *
 * Exit codes: 0 ok, 1 failed, 2 usage, 3 server unreachable, 4 not allowed, 130 interrupted
 * (`shiplog run` mirrors its command's code instead).
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CliError, EXIT, messageOf } from './cli/exit.ts';
import { say } from './cli/output.ts';

type Register = (program: Command) => void;

/**
 * In the order of `shiplog --help`. Each is loaded when it is asked for: a deployment starts
 * `shiplog run` before each of its commands, and most of starting was loading the other commands.
 */
const COMMANDS = new Map<string, () => Promise<Register>>([
  ['serve', async () => registerServe],
  ['tasks', async () => (await import('./cli/tasks.ts')).registerTasks],
  ['task', async () => (await import('./cli/task.ts')).registerTask],
  ['tail', async () => (await import('./cli/tail.ts')).registerTail],
  ['logs', async () => (await import('./cli/logs.ts')).registerLogs],
  ['search', async () => (await import('./cli/search.ts')).registerSearch],
  ['run', async () => (await import('./cli/run.ts')).registerRun],
  ['start', async () => (await import('./cli/start.ts')).registerStart],
  ['finish', async () => (await import('./cli/finish.ts')).registerFinish],
  ['send', async () => (await import('./cli/send.ts')).registerSend],
  ['import', async () => (await import('./cli/import.ts')).registerImport],
  ['export', async () => (await import('./cli/export.ts')).registerExport],
  ['docker', async () => (await import('./cli/docker.ts')).registerDocker],
  ['simulate', async () => (await import('./cli/simulate.ts')).registerSimulate],
  ['tokens', async () => (await import('./cli/tokens.ts')).registerTokens],
  ['mapping', async () => (await import('./cli/mapping.ts')).registerMapping],
  ['backup', async () => (await import('./cli/backup.ts')).registerBackup],
  ['rebuild', async () => (await import('./cli/rebuild.ts')).registerRebuild],
  ['doctor', async () => (await import('./cli/doctor.ts')).registerDoctor],
]);

/** The server's options are a table of their own (config.ts), so its arguments go there as they are. */
function registerServe(program: Command): void {
  program
    .command('serve')
    .description('run the server (shiplog serve --help lists its settings)')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]')
    .action(async (args: string[]) => {
      const { serve } = await import('./cli/serve.ts');
      process.exitCode = await serve(args);
    });
}

/** With the command that is named first, or with all of them for whoever names none. */
async function buildProgram([first = '']: readonly string[]): Promise<Command> {
  const program = new Command('shiplog')
    .description('Deployment logs you can query and follow.')
    .version(readVersion())
    .enablePositionalOptions()
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .configureOutput({
      outputError: (text) => say(text.replace(/^error: /, 'shiplog: ').trimEnd()),
    })
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 server unreachable, 4 not allowed, 130 interrupted.',
    );
  const named = COMMANDS.get(first);
  const loads = named === undefined ? [...COMMANDS.values()] : [named];
  for (const register of await Promise.all(loads.map((load) => load()))) register(program);
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
    const words = asCommand(argv);
    const program = await buildProgram(words);
    await program.parseAsync(words, { from: 'user' });
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

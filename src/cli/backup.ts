/** `shiplog backup`: a copy of the embedded store, while it is being served. */
import { type Command, Option } from 'commander';
import { parseConfig } from '../config.ts';
import { ShiplogError } from '../domain/errors.ts';
import { CliError, EXIT } from './exit.ts';
import { say } from './output.ts';

export function registerBackup(program: Command): void {
  program
    .command('backup')
    .description('copy the embedded store into a new file, also while a server is using it')
    .argument('<file>', 'where to; must not exist')
    .addOption(
      new Option('--data-dir <directory>', 'of the server (default: as `shiplog serve` takes it)'),
    )
    .action(backup);
}

async function backup(file: string, flags: { dataDir?: string }): Promise<void> {
  const config = parseConfig(flags, process.env);
  if ('problems' in config) throw new CliError(config.problems.join('\n'), EXIT.usage);
  const { backupStore } = await import('../store/open-store.ts');
  try {
    await backupStore(config.ok, file);
  } catch (error) {
    if (error instanceof ShiplogError) throw new CliError(error.message);
    throw error;
  }
  say(`${file} is a whole copy; put it in the place of shiplog.db to restore it`);
}

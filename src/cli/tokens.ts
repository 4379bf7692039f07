/**
 * `shiplog tokens`: makes, lists and revokes access tokens by editing the server's file, which a
 * running server reads again. So it is run where the server runs, and needs no token itself.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  formatTokens,
  makeToken,
  parseTokens,
  SCOPES,
  type Scope,
  type TokenRecord,
} from '../domain/token.ts';
import { makeDirectory } from '../make-directory.ts';
import { CliError, EXIT, messageOf } from './exit.ts';
import { duration } from './options.ts';
import { Output, say } from './output.ts';

interface FileOptions {
  file?: string;
}
interface CreateOptions extends FileOptions {
  name?: string;
  scope: Scope[];
  expiresIn?: number;
}

export function registerTokens(program: Command): void {
  const tokens = program.command('tokens').description("the server's access tokens");
  const file = (): Option =>
    new Option('--file <file>', 'file with the hashes of tokens').env('SHIPLOG_TOKENS_FILE');
  tokens
    .command('create')
    .description('make a token; it is printed once and cannot be read again')
    .addOption(file())
    .option('--name <text>', 'whose it is, for people')
    .requiredOption('--scope <scopes>', `some of ${SCOPES.join(', ')}, separated by commas`, scopes)
    .option(
      '--expires-in <duration>',
      'such as 90d; without it the token does not expire',
      duration,
    )
    .action(create);
  tokens
    .command('list')
    .description('who has access')
    .addOption(file())
    .option('--json', 'print NDJSON on stdout')
    .action(list);
  tokens
    .command('revoke')
    .description('take a token back; a running server follows within a second')
    .argument('<id>', 'the eight characters behind shp_')
    .addOption(file())
    .action(revoke);
}

async function create(options: CreateOptions): Promise<void> {
  const file = fileOf(options);
  const now = Date.now();
  const expiresAt = options.expiresIn === undefined ? null : now + options.expiresIn;
  const { token, record } = makeToken(options.name ?? '', options.scope, expiresAt, now);
  write(file, [...read(file, true), record]);
  const until = record.expiresAt === null ? 'does not expire' : `expires at ${record.expiresAt}`;
  say(`token ${record.id} (${record.scopes.join(', ')}) ${until}; its hash is in ${file}`);
  say('Keep it now: it is not shown again. Clients take it from SHIPLOG_TOKEN.');
  await new Output().write(`${token}\n`);
}

async function list(options: FileOptions & { json?: boolean }): Promise<void> {
  const records = read(fileOf(options), false);
  const output = new Output();
  if (options.json) {
    await output.json(...records.map(({ hash, ...shown }) => shown));
    return;
  }
  const rows = records.map(({ id, name, scopes: held, createdAt, expiresAt }) => {
    const until = expiresAt === null ? 'does not expire' : `expires ${expiresAt}`;
    return `${id}  ${held.join(',').padEnd(17)}  created ${createdAt}  ${until}  ${name}`.trimEnd();
  });
  await output.write(rows.map((row) => `${row}\n`).join(''));
}

function revoke(id: string, options: FileOptions): void {
  const file = fileOf(options);
  const records = read(file, false);
  const left = records.filter((record) => record.id !== id);
  if (left.length === records.length) throw new CliError(`${file} has no token "${id}"`);
  write(file, left);
  say(`token ${id} is revoked`);
}

function scopes(text: string): Scope[] {
  const named = text.split(',').map((part) => part.trim());
  const known = named.filter((name): name is Scope => (SCOPES as readonly string[]).includes(name));
  if (known.length !== named.length || known.length === 0) {
    throw new InvalidArgumentError(`Expected some of ${SCOPES.join(', ')}.`);
  }
  return [...new Set(known)];
}

function fileOf({ file }: FileOptions): string {
  if (file !== undefined && file !== '') return file;
  throw new CliError('name the file: --file <file> or SHIPLOG_TOKENS_FILE', EXIT.usage);
}

function read(file: string, mayBeNew: boolean): TokenRecord[] {
  try {
    return parseTokens(readFileSync(file, 'utf8'));
  } catch (error) {
    if (mayBeNew && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new CliError(`${file}: ${messageOf(error)}`);
  }
}

/** Replaces the file in one step, readable by its owner only: a server never sees half of it. */
function write(file: string, records: readonly TokenRecord[]): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    makeDirectory(dirname(resolve(file)), 0o777);
    const descriptor = openSync(draft, 'w', 0o600);
    try {
      writeSync(descriptor, formatTokens(records));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
  } catch (error) {
    throw new CliError(`${file} cannot be written: ${messageOf(error)}`);
  }
}

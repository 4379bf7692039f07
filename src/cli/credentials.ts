/** Where a client command finds the server, and what it shows there. */
import { readFileSync } from 'node:fs';
import { CliError, EXIT, messageOf } from './exit.ts';

export interface Connection {
  url: string;
  /** What is shown now; `renewToken` changes it. */
  token: string | null;
  /** The file that it came from. */
  tokenFile?: string | null;
  /** Why nothing is sent; null: it is. */
  unusable?: string | null;
}

export interface TokenSource {
  url: string;
  token?: string;
}

/** A connection with the given token, else with that of SHIPLOG_TOKEN_FILE. Both: a usage error. */
export function connectionOf(
  options: TokenSource,
  env: NodeJS.ProcessEnv = process.env,
): Connection {
  const { url } = options;
  const given = options.token === undefined || options.token === '' ? null : options.token;
  const file = env.SHIPLOG_TOKEN_FILE;
  if (file === undefined || file === '') return { url, token: given };
  if (given !== null && given === env.SHIPLOG_TOKEN) {
    throw new CliError('SHIPLOG_TOKEN and SHIPLOG_TOKEN_FILE are both set: give one', EXIT.usage);
  }
  if (given !== null) return { url, token: given };
  try {
    return { url, token: readToken(file), tokenFile: file };
  } catch (error) {
    throw new CliError(`SHIPLOG_TOKEN_FILE cannot be read: ${messageOf(error)}`, EXIT.usage);
  }
}

/** Reads the file again; true if another token is there now. A file that is being replaced is none. */
export function renewToken(connection: Connection): boolean {
  const { tokenFile, token } = connection;
  if (tokenFile == null) return false;
  try {
    const found = readToken(tokenFile);
    if (found === '' || found === token) return false;
    connection.token = found;
    return true;
  } catch {
    return false;
  }
}

function readToken(file: string): string {
  return readFileSync(file, 'utf8').trim();
}

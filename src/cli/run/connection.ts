/**
 * Where `shiplog run` reports to. What is wrong with the environment is no reason not to deploy: it is
 * said at once, and the command runs. What somebody typed wrong they can type again before anything ran.
 */
import { type Connection, connectionOf, type TokenSource } from '../credentials.ts';
import { CliError } from '../exit.ts';
import { serverUrl } from '../options.ts';

/** `isSetting`: the address is that of SHIPLOG_URL. `say`: told what is wrong. */
export function connectionOfRun(
  { url: text, token }: TokenSource,
  isSetting: boolean,
  say: (problem: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Connection {
  const { url, problem } = isSetting ? urlOfSetting(text) : { url: serverUrl(text), problem: null };
  if (problem !== null) say(problem);
  // Without an address there is nobody to show a token to.
  if (url === null) return { url: '', token: null, unusable: problem };
  const source = token === undefined ? { url } : { url, token };
  try {
    return connectionOf(source, env);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    say(error.message);
    // The file is looked at again when the server wants another token.
    return { url, token: token ?? null, tokenFile: env.SHIPLOG_TOKEN_FILE ?? null };
  }
}

/** An address with a password in it is one without it; null: it is none. */
function urlOfSetting(text: string): { url: string | null; problem: string | null } {
  try {
    return { url: serverUrl(text), problem: null };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { url: withoutUser(text), problem: error.message };
  }
}

function withoutUser(text: string): string | null {
  const url = URL.parse(text);
  if (url === null) return null;
  url.username = '';
  url.password = '';
  try {
    return serverUrl(url.href);
  } catch {
    return null;
  }
}

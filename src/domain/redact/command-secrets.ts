/**
 * Passwords that stand in a command line without a name: `mysql -phunter2`, `curl -u bob:hunter2`.
 * One table of programs serves both forms, a text and a list of arguments, so that what is hidden in
 * one is hidden in the other.
 */
import { argumentReader, type ShellWord } from './shell-words.ts';

interface Program {
  /** Only where the first argument that is no flag is this. */
  only?: RegExp;
  /** A value is attached to the flag; the flag by itself asks for it. */
  attached?: string[];
  /** The value is attached, or the next argument. */
  value?: string[];
  /** Like `value`, but only what follows the first of these characters is secret. */
  user?: string[];
  between?: string;
  /** Like `value`, but secret only if it begins with the prefix. */
  prefixed?: { flags: string[]; prefix: string };
  /** The place of the secret among the arguments that are no flags. */
  place?: (flags: string[], words: string[]) => number;
}

/** Where a secret is: in which argument, and from which of its characters on. */
export interface SecretArgument {
  index: number;
  from: number;
  to: number;
}

const MYSQL: Program = {
  attached: ['-p'],
  place: (_, words) => (words.indexOf('password') < 0 ? -1 : words.indexOf('password') + 1),
};
const LOGIN: Program = { only: /^login$/, value: ['-p'] };
const CREDENTIALS = ['--creds', '--src-creds', '--dest-creds'];
const MONGO: Program = { value: ['-p'] };
const LDAP: Program = { value: ['-w'] };
const ORACLE: Program = { user: [''], between: '/' };
const CURL: Program = {
  user: ['-u', '--user', '-U', '--proxy-user', '-E', '--cert'],
  between: ':',
};
/** `config set NAME value`: the value behind the name of a secret. */
const SETTINGS: Program = {};

const PROGRAMS = new Map<string, Program[]>();
function know(names: string, ...programs: Program[]): void {
  for (const name of names.split(' ')) PROGRAMS.set(name, programs);
}
know('mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlslap mysqlpump', MYSQL);
know('mysqlbinlog mysql_upgrade mysqlsh mycli xtrabackup', MYSQL);
know('mariadb mariadb-dump mariadb-admin mariadb-import mariadb-show mariadb-check', MYSQL);
know('mydumper myloader', { value: ['-p'] });
know('sshpass', { value: ['-p'] });
know('redis-cli valkey-cli keydb-cli', {
  value: ['-a'],
  place: (_, words) => (/^auth$/i.test(words[0] ?? '') ? words.length - 1 : -1),
});
know('docker podman nerdctl buildah', LOGIN, { user: CREDENTIALS, between: ':' });
know('skopeo', LOGIN, { user: CREDENTIALS, between: ':' });
know('oc az cf crane oras regctl', LOGIN);
know('helm', { only: /^registry$/, value: ['-p'] });
know('curl', CURL, { value: ['--oauth2-bearer'] });
know('http https xh', { user: ['-a', '--auth'], between: ':' });
know('jenkins-cli java', { user: ['-auth'], between: ':' });
know('etcdctl', { user: ['--user'], between: ':' });
know('lftp', { user: ['-u', '--user'], between: ',' });
know('smbclient rpcclient net smbget', { user: ['-U', '--user'], between: '%' });
know('mongo mongosh mongodump mongorestore mongoimport mongoexport mongostat mongotop', MONGO);
know('ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldapcompare ldapmodrdn kadmin', LDAP);
know('ldappasswd', { value: ['-w', '-s', '-a'] });
know('sqlplus expdp impdp exp imp sqlldr rman', ORACLE);
know('sqlcmd bcp osql isql mosquitto_pub mosquitto_sub ipmitool zip unzip', { value: ['-P'] });
know('twine influx rabbitmqadmin psexec rdesktop certutil useradd usermod', { value: ['-p'] });
know('7z 7za 7zr rar unrar', { attached: ['-p', '-hp'] });
know('ssh-keygen', { value: ['-N', '-P'] });
know('signtool', { value: ['/p'] });
know('nuget dotnet', { value: ['-k'], only: /^(?:push|nuget)$/ });
know('gh', { only: /^secret$/, value: ['-b', '--body'] });
know(
  'openssl',
  {
    prefixed: { flags: ['-pass', '-passin', '-passout', '-password', '-passwd'], prefix: 'pass:' },
  },
  { only: /^enc$/, value: ['-k', '-K'] },
);
know('htpasswd mosquitto_passwd', {
  place: (flags, words) => {
    const all = flags.filter((flag) => /^-\w+$/.test(flag)).join('');
    if (!all.includes('b')) return -1;
    return all.includes('n') && words.length === 2 ? 1 : 2;
  },
});
know('rabbitmqctl', {
  only: /^(?:add_user|change_password|authenticate_user)$/,
  place: () => 2,
});
know('wpa_passphrase', { place: () => 1 });
know('vault', { only: /^login$/, place: (_, words) => (words[1]?.includes('=') ? -1 : 1) });
know('ansible-vault', { only: /^encrypt_string$/, place: () => 1 });
know('mc', { only: /^alias$/, place: (_, words) => (words.length > 5 ? 5 : -1) });
know('kubectl', {
  only: /^create$/,
  user: ['--from-literal'],
  between: '=',
});
know('aws npm yarn pnpm git gcloud poetry nmcli bundle', SETTINGS);

/**
 * What a command must hold for a secret to be in it: a flag, or a program that takes secrets
 * without one.
 */
const FLAG = /[\s"'`](?:-[-\w]|\/p )/;
const FLAGLESS =
  /(?<![\w.-])(?:redis-cli|valkey-cli|keydb-cli|rabbitmqctl|wpa_pass|vault|sqlplus|exp|imp|sqlldr|rman|mysqladmin|mc|aws|npm|yarn|pnpm|git|gcloud|poetry|nmcli|bundle)(?:dp|hrase|\.exe)?["'`\s\\]/i;

/** Whether the text can hold a command with a secret; cheap, for nearly every line holds none. */
export function mayHoldCommand(text: string): boolean {
  if (!FLAG.test(text) && !FLAGLESS.test(text)) return false;
  NAMED.lastIndex = 0;
  return NAMED.test(text);
}

export const PROGRAM_NAMES: readonly string[] = [...PROGRAMS.keys()];
const NAMES = PROGRAM_NAMES.toSorted((a, b) => b.length - a.length).join('|');
const NAMED = new RegExp(`(?<![\\w.-])(?:${NAMES})(?:\\.exe)?(?=\\\\{0,4}["'\`]|\\s)`, 'gi');
const SEPARATORS = new Set(['|', '||', '&&', ';', '&']);

/** The known program that a word names, with or without a path. */
export function programOf(word: string): string | null {
  if (word.length > 512) return null;
  const name = word.slice(Math.max(word.lastIndexOf('/'), word.lastIndexOf('\\')) + 1);
  const plain = name.toLowerCase().replace(/\.exe$/, '');
  return PROGRAMS.has(plain) ? plain : null;
}

/** The first known program of a command. */
export function programIn(command: string): string | null {
  NAMED.lastIndex = 0;
  const found = NAMED.exec(`${command} `);
  return found === null ? null : programOf(found[0]);
}

/** The secrets among a program's arguments. `isName`: whether a word is the name of a secret. */
export function secretArguments(
  program: string,
  args: readonly string[],
  isName: (word: string) => boolean,
): SecretArgument[] {
  const end = args.findIndex((arg) => SEPARATORS.has(arg));
  const own = end < 0 ? args : args.slice(0, end);
  const found: SecretArgument[] = [];
  for (const known of PROGRAMS.get(program) ?? []) {
    const words = own.filter((arg) => !arg.startsWith('-'));
    if (known.only !== undefined && !known.only.test(words[0] ?? '')) continue;
    const { attached = [], value = [], user = [], between = ':', prefixed, place } = known;
    for (let at = 0; at < own.length; at++) {
      const arg = own[at] as string;
      if (known === SETTINGS) {
        const next = own[at + 1];
        if (next !== undefined && !/^-/.test(arg) && !/^-/.test(next) && isName(arg))
          add(at + 1, 0);
        continue;
      }
      if (known !== ORACLE && arg[0] !== '-' && arg[0] !== '/') continue;
      for (const flag of attached) {
        const isPort = /^-p\d+:\d+/.test(arg);
        if (arg.startsWith(flag) && arg.length > flag.length && !isPort) add(at, flag.length);
      }
      for (const flag of value) withValue(at, flag, (index, from) => add(index, from));
      for (const flag of prefixed?.flags ?? []) {
        withValue(at, flag, (index, from) => {
          const begins = (own[index] ?? '').startsWith(prefixed?.prefix ?? '', from);
          if (begins) add(index, from + (prefixed?.prefix.length ?? 0));
        });
      }
      for (const flag of user) {
        withValue(at, flag, (index, from) => {
          const parted = (own[index] ?? '').indexOf(between, from + 1);
          if (parted >= 0) add(index, parted + 1, between === '/' ? '@' : undefined);
        });
      }
    }
    if (place === undefined) continue;
    const flags = own.filter((arg) => arg.startsWith('-'));
    const placed = place(flags, words);
    const word = placed > 0 ? words[placed] : undefined;
    if (word !== undefined) add(own.lastIndexOf(word), 0);
  }
  return found;

  function add(index: number, from: number, until?: string): void {
    const arg = own[index] ?? '';
    const end = until === undefined ? -1 : arg.lastIndexOf(until);
    const to = end > from ? end : arg.length;
    if (to > from) found.push({ index, from, to });
  }

  /** `-u value`, `-uvalue`, `--user=value`; `-sSu value` of curl; '' is any argument. */
  function withValue(at: number, flag: string, take: (index: number, from: number) => void): void {
    const arg = own[at] as string;
    if (flag === '') {
      if (!arg.startsWith('-') && !arg.startsWith('/')) take(at, 0);
      return;
    }
    if (arg === flag) {
      const next = own[at + 1];
      if (next !== undefined && !/^--?[a-z]/i.test(next)) take(at + 1, 0);
      return;
    }
    if (flag.length > 2) {
      if (arg.startsWith(`${flag}=`)) take(at, flag.length + 1);
      return;
    }
    if (arg.startsWith(flag)) take(at, flag.length + (arg[flag.length] === '=' ? 1 : 0));
    if (program !== 'curl' || flag !== '-u') return;
    const cluster = /^-[sSfkLviIgGOJnNqZ#012346ajlMpR]{1,16}[uU](.*)$/s.exec(arg);
    if (cluster) {
      if (cluster[1] === '') take(at + 1, 0);
      else take(at, arg.length - (cluster[1]?.length ?? 0));
    }
  }
}

/**
 * Of one text, in all rounds: so many arguments are looked at. Those of a program may be those of the
 * next one too.
 */
export const ARGUMENTS_MAX = 10_000;

/**
 * The secrets in the command lines of a text, as places of it. In order, not overlapping. `left`: how
 * many arguments may still be looked at.
 */
export function secretsOfCommands(
  text: string,
  isName: (word: string) => boolean,
  left: { arguments: number },
): { from: number; to: number }[] {
  /** What is secret of each word; more than one program may say so. */
  const found = new Map<ShellWord, { from: number; to: number }>();
  const readArguments = argumentReader(text);
  NAMED.lastIndex = 0;
  while (left.arguments > 0) {
    const name = NAMED.exec(text);
    if (name === null) break;
    const words = readArguments(name.index + name[0].length);
    left.arguments -= words.length + 1;
    const program = programOf(name[0]) ?? '';
    const args = words.map(({ value }) => value);
    for (const { index, from, to } of secretArguments(program, args, isName)) {
      const word = words[index] as ShellWord;
      const now = found.get(word);
      if (now === undefined) found.set(word, { from, to });
      else found.set(word, { from: Math.min(now.from, from), to: Math.max(now.to, to) });
    }
  }
  const places = [...found].map(([word, { from, to }]) => word.place(from, to));
  return merged(places.sort((a, b) => a.from - b.from));
}

function merged(places: { from: number; to: number }[]): { from: number; to: number }[] {
  const out: { from: number; to: number }[] = [];
  for (const place of places) {
    const last = out.at(-1);
    if (last !== undefined && place.from < last.to) last.to = Math.max(last.to, place.to);
    else out.push({ ...place });
  }
  return out;
}

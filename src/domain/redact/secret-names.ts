/**
 * The names that secrets go by. Long ones are known as any part of a key (`db-password-2`), short
 * ones as its last word only: `DB_PASS`, `sshPass` and `Pwd` are secrets, `bypass`, `passed` and
 * `pass_rate` are none.
 */
import { createPrescreen, type Prescreen } from './prescreen.ts';

/** Parts of a key; upper and lower case, `-` and `_` are the same. */
const LONG = [
  'password',
  'passwd',
  'passcode',
  'pswd',
  'secret',
  'token',
  'authorization',
  'passphrase',
  'pass-?phrase',
  'credential',
  'dockerconfigjson',
  '(?:api|access|private|account|shared|storage|encryption|signing|master|auth|app|session|subscription|licen[sc]e)-?key',
];
const SHORT = /^(?:pass|pwd|pw|psw|cookie|requirepass|masterauth)$/;
/** Written as one word with what they are for; not compass, bypass, OLDPWD. */
const JOINED =
  /^(?:db|database|user|usr|my|mysql|maria|pg|postgres|mongo|sql|ora|redis|ssh|sudo|su|become|smtp|imap|mail|email|ftp|http|https|proxy|ldap|bind|root|admin|auth|login|key|keystore|src|dest|srckey|destkey|srcstore|deststore|store|trust|truststore|cert|ca|api|app|svc|service|wifi|vnc|rabbit|amqp|jdbc|default|vault|srv|server|host|master|encryption|enc|ssl|tls|pfx|p|jks|sa|web|git|svn|docker|registry|backup|require)(?:pass|pwd|pw)$/;
/** What is behind such a word is about a secret, and none itself. */
const ABOUT =
  /^(?:count|file|path|dir|ttl|type|len|length|size|expiry|expires|expiration|age|policy|prompt|stdin|url|uri|endpoint|enabled|required|version|algorithm|limit|attempts|changed|name|ref|rate|through)$/;
/** What may stand behind the word of a secret. */
const FORM = /^(?:value|val|raw|plain|text|string|str|b64|base64|encoded)$/;
/** Names that may count secrets instead of holding one: `maxTokens`, `passwords`. */
const COUNTED = /(?:tokens|secrets|passwords|credentials|cookies|pass)$/i;

/** Characters that a `*` inside a name stands for, by how many there are: tries multiply. */
const GAPS = [0, 64, 16, 6] as const;

const either = (name: string) => name.replace(/[-_]/g, '[-_]');

/** One's own names, as alternatives. What `*` stands for is bounded, against backtracking. */
function ownPattern(extra: readonly string[]): string {
  return extra
    .map((name) => name.replace(/^\*+|\*+$/g, '').replace(/\*+/g, '*'))
    .filter((name) => name !== '')
    .map((name) => either(name.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
    .map((name) => {
      const gap = GAPS[name.split('*').length - 1] ?? 0;
      return name.replaceAll('*', `[\\w.-]{0,${gap}}`);
    })
    .join('|');
}

export interface SecretNames {
  /** Whether anything at all can be in a text. */
  mayHold: Prescreen;
  /** Alternatives of a pattern: every secret key has one of them in it. */
  pattern: string;
  /** The same, shorter and true more often: whether there can be one. */
  hint: string;
  /** Whether what stands under this key is secret. */
  isSecret(key: string, value?: unknown): boolean;
}

/** `extra`: more names, of which a key may contain one. */
export function secretNames(extra: readonly string[]): SecretNames {
  const own = ownPattern(extra);
  const isOwn = own === '' ? null : new RegExp(own, 'i');
  const long = LONG.map(either).join('|');
  const isLong = new RegExp(long, 'i');
  const maybe = new RegExp(`${long}|pass|pwd|pw|psw|cookie|masterauth`, 'i');
  const roots =
    'pass|pwd|pw(?![a-z])|psw|secret|token|authorization|credential|configjson|key|cookie|masterauth';
  const mayHold = createPrescreen(extra);
  const known = new Map<string, Sort>();
  return {
    mayHold,
    hint: own === '' ? roots : `${roots}|${own}`,
    pattern: [long, 'pass', 'pwd', 'pw(?![a-z])', 'psw', 'cookie', 'masterauth', own]
      .filter((part) => part !== '')
      .join('|'),
    isSecret(key, value) {
      if (!mayHold(key)) return false;
      const { isSecret, isCount, isDirectory } = sortOf(key);
      if (!isSecret || (isCount && isNumber(value))) return false;
      return !(isDirectory && isPath(value));
    },
  };

  function sortOf(key: string): Sort {
    const sort = known.get(key) ?? sorted(key);
    if (known.size === KNOWN_MAX) known.clear();
    if (key.length <= KEY_MAX) known.set(key, sort);
    return sort;
  }

  function sorted(key: string): Sort {
    if (isOwn?.test(key)) return SECRET;
    if (!maybe.test(key)) return NO_SECRET;
    const words = wordsOfKey(key);
    const last = words.at(-1) ?? '';
    if (ABOUT.test(last)) return NO_SECRET;
    const isCount = COUNTED.test(key);
    if (isLong.test(key)) return { ...SECRET, isCount };
    const word = FORM.test(last) ? (words.at(-2) ?? '') : last;
    if (word === 'oldpwd' || (word === 'pwd' && words.at(-2) === 'old')) return NO_SECRET;
    const isSecret = SHORT.test(word) || JOINED.test(word);
    return { isSecret, isCount, isDirectory: /^-?-?pwd$/i.test(key) };
  }
}

/** What a key says of its value. */
interface Sort {
  isSecret: boolean;
  /** The value is no secret where it is a number, for then it says how many there are. */
  isCount: boolean;
  /** The value is no secret where it is a path. */
  isDirectory: boolean;
}
const SECRET: Sort = { isSecret: true, isCount: false, isDirectory: false };
const NO_SECRET: Sort = { ...SECRET, isSecret: false };
/**
 * What was found of a key is remembered, for the same keys come again and again: how many, and up
 * to which length.
 */
const KNOWN_MAX = 1_000;
const KEY_MAX = 64;

/** `sshPass2` is ssh and pass. */
function wordsOfKey(key: string): string[] {
  return key
    .slice(-128)
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/\d{1,9}$/, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** A number that counts; one with more digits may be a PIN. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^\d{1,6}$/.test(value));
}

/** The working directory of a shell is called PWD. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^["']?(?:[/~.]|[A-Za-z]:[\\/]|$)/.test(value);
}

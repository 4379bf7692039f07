/**
 * Configuration is one table, `OPTIONS`: it yields the parser, the flags of `shiplog serve`, its
 * `--help`, and the table in the README. Flags win over the environment, which wins over the
 * default. Parsing is pure and reports every problem at once.
 */
import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { z } from 'zod';
import { isFromKubernetes } from './config-kubernetes.ts';
import { OPTIONS, type OptionRow } from './config-options.ts';
import { valueWithoutCredentials } from './domain/text/address.ts';
import { nearest } from './domain/text/nearest.ts';

type Options = typeof OPTIONS;
type OptionName = keyof Options;

/** The settings of a server, valid as a whole. */
export type Config = { -readonly [K in OptionName]: z.output<Options[K]['value']> };

const ROWS = Object.entries(OPTIONS) as [OptionName, OptionRow<unknown>][];

export type ConfigResult = { ok: Config } | { problems: string[] };

/**
 * Reads flags (as commander gives them: by camel-case name, absent where not used) and the
 * environment. `readSecret` reads the file that a `_FILE` name points to.
 */
export function parseConfig(
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  readSecret: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): ConfigResult {
  const problems: string[] = [];
  const values: Partial<Record<OptionName, unknown>> = {};
  for (const [name, option] of ROWS) {
    const given = textOf(name, option, flags, env, readSecret, problems);
    if (given === null) continue;
    const parsed = option.value.safeParse(given.text ?? '');
    if (parsed.success) values[name] = parsed.data;
    else {
      const shown = option.secret ? 'the value' : quoted(given.text ?? '');
      for (const issue of parsed.error.issues) {
        problems.push(`${given.from}: ${shown} ${issue.message}`);
      }
    }
  }
  problems.push(...unknownNames(env), ...conflictsOf(values as Partial<Config>));
  // Each wrong item of a list is a problem of the same words.
  return problems.length > 0 ? { problems: [...new Set(problems)] } : { ok: values as Config };
}

/** An address may hold a password, in the place of whatever it was given. */
function quoted(value: string): string {
  return JSON.stringify(valueWithoutCredentials(value));
}

/** Null: there is one, and it cannot be read (which is among the problems then). */
function textOf(
  name: string,
  option: OptionRow<unknown>,
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  readSecret: (path: string) => string,
  problems: string[],
): { text: string | null; from: string } | null {
  const flag = flags[name];
  if (flag !== undefined) {
    return { text: flag === true ? 'on' : String(flag), from: flagOf(name) };
  }
  const direct = environmentValue(option.env, env);
  const fileName = `${option.env}_FILE`;
  const file = option.secret ? env[fileName] : undefined;
  if (file !== undefined && file !== '') {
    if (direct !== undefined) {
      problems.push(`${option.env} and ${fileName} are both set: use one of them`);
      return null;
    }
    try {
      return { text: readSecret(file).trim(), from: fileName };
    } catch (error) {
      problems.push(`${fileName}: cannot read ${file}: ${(error as Error).message}`);
      return null;
    }
  }
  return { text: direct ?? option.default, from: option.env };
}

/** Empty counts as not set; so does what Kubernetes sets for its Services. */
function environmentValue(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const value = env[name];
  if (value === undefined || value === '') return undefined;
  return isFromKubernetes(name, value) ? undefined : value;
}

/** Names that other parts of Shiplog read: client commands, the clients for agents, tests. */
const OTHERS_NAMES =
  /^SHIPLOG_(URL|TOKEN|TOKEN_FILE|SPOOL|SPOOL_BYTES|TASK|ATTEMPT|TEST_.*|BENCH_.*)$/;

function unknownNames(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = ROWS.flatMap(([, option]) =>
    option.secret ? [option.env, `${option.env}_FILE`] : [option.env],
  );
  return Object.entries(env)
    .filter(([name]) => name.startsWith('SHIPLOG_') && !known.includes(name))
    .filter(([name, value]) => !OTHERS_NAMES.test(name) && !isFromKubernetes(name, value ?? ''))
    .map(([name]) => {
      const guess = nearest(name, known);
      return `${name} is not an option${guess === null ? '' : `: did you mean ${guess}?`}`;
    });
}

/** What is wrong only in view of each other; a value that is missing here was wrong in itself. */
function conflictsOf(config: Partial<Config>): string[] {
  const problems: string[] = [];
  const { host, store, elasticsearchUrl: urls, elasticsearchApiKey: apiKey } = config;
  const { elasticsearchUsername: user, elasticsearchPassword: password } = config;
  if (store === 'elasticsearch' && urls?.length === 0) {
    problems.push('SHIPLOG_ELASTICSEARCH_URL must be set when SHIPLOG_STORE is elasticsearch');
  }
  const areKnown = user !== undefined && password !== undefined;
  if (areKnown && (user === null) !== (password === null)) {
    problems.push(
      'SHIPLOG_ELASTICSEARCH_USERNAME and SHIPLOG_ELASTICSEARCH_PASSWORD must be set together',
    );
  }
  if (typeof apiKey === 'string' && typeof user === 'string') {
    problems.push('SHIPLOG_ELASTICSEARCH_API_KEY and _USERNAME are both set: use one of them');
  }
  const { port, esPort } = config;
  if (port !== undefined && port !== 0 && port === esPort) {
    problems.push('SHIPLOG_ES_PORT must be another port than SHIPLOG_PORT');
  }
  const isOpen = config.tokensFile === null && config.insecure === false;
  if (isOpen && host !== undefined && !isLoopback(host)) {
    problems.push(
      `SHIPLOG_HOST: ${host} can be reached by others, so SHIPLOG_TOKENS_FILE must be set (make a token with: shiplog tokens create); --insecure serves without tokens`,
    );
  }
  return problems;
}

/** Whether only programs on this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flags of `shiplog serve`, without defaults of their own: `parseConfig` knows them. */
export function configFlags(): Option[] {
  return ROWS.map(([name, option]) => {
    const value = option.placeholder === null ? '' : ` <${option.placeholder}>`;
    const notes = [`env: ${option.env}`];
    if (option.default) notes.unshift(`default: ${option.default}`);
    return new Option(`${flagOf(name)}${value}`, `${option.meaning} (${notes.join(', ')})`);
  });
}

/** The table of the README, as Markdown. */
export function configTable(): string {
  const lines = ROWS.map(([name, option]) => {
    const twin = option.secret ? ` or \`${option.env}_FILE\`` : '';
    const fallback = option.default ? `\`${option.default}\`` : '';
    return `| \`${option.env}\`${twin} | \`${flagOf(name)}\` | ${fallback} | ${option.meaning} |`;
  });
  return ['| Environment | Flag | Default | Meaning |', '|---|---|---|---|', ...lines].join('\n');
}

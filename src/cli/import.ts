/**
 * `shiplog import`: documents of an Elasticsearch or OpenSearch, or of files, mapped as `/es` maps
 * them, once each however often it is interrupted and begun again.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { withoutCredentials } from '../domain/text/address.ts';
import { CallError, Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { CliError, EXIT } from './exit.ts';
import { day } from './format.ts';
import { ServerKeepsDocument } from './gen/graphql.ts';
import { Cluster, type ClusterAccess } from './import/cluster.ts';
import { PageDelivery } from './import/delivery.ts';
import { DocumentReader, type ImportDocument } from './import/document.ts';
import { ElasticsearchSource } from './import/elasticsearch.ts';
import { FileSource } from './import/files.ts';
import { MisfitTotals } from './import/misfit-totals.ts';
import { Rejects } from './import/rejects.ts';
import type { Page, Source } from './import/source.ts';
import { type Purpose, State } from './import/state.ts';
import { untilInterrupted } from './interrupt.ts';
import { mappingsOf, showMapped } from './mapping.ts';
import { type ClientOptions, clientOptions, integer } from './options.ts';
import { Output, say } from './output.ts';
import { Progress } from './progress.ts';

interface ImportOptions extends ClientOptions {
  elasticsearch?: string;
  index?: string;
  mapping?: string;
  dryRun?: number | true;
  state?: string;
  rejected?: string;
  fromStart?: boolean;
  elasticsearchUsername?: string;
  elasticsearchPassword?: string;
  elasticsearchApiKey?: string;
}

const DRY_RUN_DOCUMENTS = 5;
/** After an interrupt: how long what is under way may take. It is read again next time. */
const LAST_WAIT_MS = 5_000;
const DAY_MS = 86_400_000;

export function registerImport(program: Command): void {
  clientOptions(
    program
      .command('import')
      .description('store documents of Elasticsearch, or of files (docs/senders/import.md)')
      .argument('[files...]', 'documents or events, one a line; .gz is unpacked, - is stdin')
      .option('--elasticsearch <url>', 'cluster to read from: Elasticsearch 7 to 9, OpenSearch')
      .option(
        '--index <name>',
        'index, alias or pattern to read; for files: index that they are of',
      )
      .option('--mapping <file>', 'mapping of your own (docs/senders/mapping.md)')
      .option(
        '--dry-run [n]',
        'show what would be stored of the first n documents (default: 5), and store nothing',
        integer(1, 1_000),
      )
      .option('--state <file>', 'where it stands (default: shiplog-import-NAME.state.json)')
      .option(
        '--rejected <file>',
        'what could not be stored (default: shiplog-import-NAME.rejected.ndjson)',
      )
      .option('--from-start', 'begin anew, whatever the state says; what is there counts once')
      .addOption(
        new Option('--elasticsearch-username <name>', 'who reads from the cluster').env(
          'SHIPLOG_ELASTICSEARCH_USERNAME',
        ),
      )
      .addOption(
        new Option('--elasticsearch-password <text>', 'password of that user').env(
          'SHIPLOG_ELASTICSEARCH_PASSWORD',
        ),
      )
      .addOption(
        new Option('--elasticsearch-api-key <key>', 'API key, instead of both').env(
          'SHIPLOG_ELASTICSEARCH_API_KEY',
        ),
      ),
  ).action(run);
}

async function run(files: string[], options: ImportOptions): Promise<void> {
  const output = new Output();
  const source = sourceOf(files, options);
  if (options.dryRun !== undefined) {
    await dryRun(source, options.dryRun === true ? DRY_RUN_DOCUMENTS : options.dryRun);
    return;
  }
  const { interrupted } = await untilInterrupted(output, (stop) => {
    const giveUp = new AbortController();
    stop.addEventListener('abort', () => setTimeout(() => giveUp.abort(), LAST_WAIT_MS).unref());
    return store(files, source, options, { stop, giveUp: giveUp.signal, output });
  });
  if (interrupted) process.exitCode = EXIT.interrupted;
}

function sourceOf(files: string[], options: ImportOptions): Source {
  const { elasticsearch, index, mapping } = options;
  const mappings = mappingsOf(mapping ?? null);
  if (elasticsearch === undefined) {
    if (files.length === 0) {
      throw new CliError('name files, or --elasticsearch with --index', EXIT.usage);
    }
    return new FileSource(
      files,
      new DocumentReader(mappings, index ?? null, mapping === undefined),
    );
  }
  if (files.length > 0) {
    throw new CliError('files and --elasticsearch are two imports: name one of them', EXIT.usage);
  }
  if (index === undefined || index === '') {
    throw new CliError('--elasticsearch needs --index: a name, an alias or a pattern', EXIT.usage);
  }
  const stop = new AbortController();
  const cluster = new Cluster(accessOf(elasticsearch, options), stop.signal);
  return new ElasticsearchSource(cluster, stop, index, new DocumentReader(mappings, null, false));
}

/** What is wrong with an address is not repeated: it may hold a password. */
function accessOf(url: string, options: ImportOptions): ClusterAccess {
  const parsed = URL.parse(url);
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new CliError(
      '--elasticsearch must be an address such as http://127.0.0.1:9200',
      EXIT.usage,
    );
  }
  const { elasticsearchUsername, elasticsearchPassword, elasticsearchApiKey } = options;
  return {
    url,
    ...(elasticsearchUsername === undefined ? {} : { username: elasticsearchUsername }),
    ...(elasticsearchPassword === undefined ? {} : { password: elasticsearchPassword }),
    ...(elasticsearchApiKey === undefined ? {} : { apiKey: elasticsearchApiKey }),
  };
}

async function dryRun(source: Source, count: number): Promise<void> {
  const { total, about } = await source.open({});
  say(`${about}${total === null ? '' : `: ${amount(total, source)}`}; nothing is stored`);
  let left = count;
  for await (const { documents } of source.pages({})) {
    for (const document of documents.slice(0, left)) show(document);
    left -= documents.length;
    if (left <= 0) break;
  }
  await source.close();
}

function show({ place, event, problem, misfits }: ImportDocument): void {
  if (event === null) say(`${place}: would be rejected: ${problem.code}: ${problem.message}`);
  else showMapped(event, misfits);
}

interface Ends {
  /** Reads no more. */
  stop: AbortSignal;
  /** Waits no longer for what is under way. */
  giveUp: AbortSignal;
  output: Output;
}

async function store(
  files: readonly string[],
  source: Source,
  options: ImportOptions,
  { stop, giveUp, output }: Ends,
): Promise<void> {
  const client = new Client(connectionOf(options));
  const isRepeatable = !files.includes('-');
  const names = fileNames(files, options);
  const purpose = purposeOf(source, options);
  const state = State.open(isRepeatable ? names.state : null, purpose, options.fromStart === true);
  const rejects = new Rejects(names.rejected);
  const delivery = new PageDelivery(client, rejects, giveUp);
  const { counts } = delivery;
  const misfits = new MisfitTotals();
  const retentionDays = await retentionOf(client);
  const { total, about, replaced } = await source.open(state.positions);
  say(`${about}${total === null ? '' : `: ${amount(total, source)}`}`);
  for (const name of replaced) {
    say(`${name} is another one than was read before: it is read from its beginning`);
  }
  if (replaced.length > 0) state.done = 0;
  if (state.isBegun) say(`goes on after the first ${amount(state.done, source)}, which are done`);
  if (state.file !== null) say(`where it stands is kept in ${state.file}`);
  const progress = new Progress({ total, done: state.done, unit: source.unit });
  const pages = source.pages(state.positions);
  let isRetentionSaid = false;
  let isWhole = false;
  // What is read may be long in coming.
  const stopped = new Promise<null>((resolve) => {
    stop.addEventListener('abort', () => resolve(null));
  });
  const next = (): Promise<IteratorResult<Page> | null> => {
    const page = Promise.race([pages.next(), stopped]);
    // A failure is told where the page is awaited.
    page.catch(() => undefined);
    return page;
  };
  try {
    let ahead = next();
    while (!stop.aborted) {
      const page = await ahead;
      if (page === null) break;
      if (page.done === true) {
        isWhole = true;
        break;
      }
      const { documents, positions, progress: by } = page.value;
      if (!isRetentionSaid) isRetentionSaid = sayRetention(documents, retentionDays);
      ahead = next();
      await delivery.deliver(documents);
      misfits.add(documents);
      await state.advance(positions, by);
      progress.advance(by, countsText(counts));
    }
  } catch (error) {
    if (!giveUp.aborted) throw error;
  } finally {
    await source.close();
    progress.clear();
    await state.save();
    await rejects.close();
    misfits.say();
    if (options.json) await output.json({ ...counts, finished: isWhole });
    else say(`${counts.documents.toLocaleString('en')} documents: ${countsText(counts)}`);
    if (counts.rejected > 0) say(`what was rejected is in ${names.rejected}`);
    if (!isWhole && state.file !== null) say('the same command goes on from here');
  }
  if (counts.rejected > 0) process.exitCode = EXIT.failed;
}

function purposeOf(source: Source, { url, mapping }: ImportOptions): Purpose {
  return {
    source: withoutCredentials(source.name),
    server: url,
    mapping:
      mapping === undefined
        ? null
        : hash('sha256', readFileSync(mapping), 'base64url').slice(0, 22),
  };
}

function fileNames(
  files: readonly string[],
  options: ImportOptions,
): { state: string; rejected: string } {
  const first = options.elasticsearch === undefined ? basename(files[0] ?? '-') : options.index;
  const name = (first ?? '').replace(/[^\w.-]+/g, '_').slice(0, 100);
  return {
    state: options.state ?? `shiplog-import-${name}.state.json`,
    rejected: options.rejected ?? `shiplog-import-${name}.rejected.ndjson`,
  };
}

/** null: the token may not read. The first call: whether the server is there at all. */
async function retentionOf(client: Client): Promise<number | null> {
  try {
    const call = () => client.query(ServerKeepsDocument, {});
    const { server } = await withRetry(call, { attempts: 3 });
    return server.retentionDays;
  } catch (error) {
    if (error instanceof CallError && error.code === 'FORBIDDEN') return null;
    throw error;
  }
}

/**
 * Retention goes by when events were received, so old ones are not removed at once; but they are.
 * False: nothing shows yet how old they are.
 */
function sayRetention(documents: readonly ImportDocument[], days: number | null): boolean {
  if (days === null) {
    say('how long the server keeps events is not known here: the token may not read');
    return true;
  }
  const times = documents.map(({ event }) => event?.at).filter((at) => typeof at === 'number');
  const oldest = times.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  if (oldest >= Date.now() - days * DAY_MS) return Number.isFinite(oldest);
  say(
    `the first documents are of ${day(oldest)}, and the server keeps events for ${days} days. All are stored: the days count from now, so what is imported is removed from ${day(Date.now() + days * DAY_MS)} on, unless SHIPLOG_RETENTION_DAYS is raised before`,
  );
  return true;
}

function amount(value: number, { unit }: Source): string {
  return `${value.toLocaleString('en')} ${unit}`;
}

function countsText(counts: PageDelivery['counts']): string {
  const { stored, duplicates, rejected } = counts;
  return [`stored ${stored}`, `known before ${duplicates}`, `rejected ${rejected}`].join(', ');
}

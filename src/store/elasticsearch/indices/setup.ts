/** What is checked and made at the opening: the server's version, our templates, the fixed indices. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { ShiplogError } from '../../../domain/errors.ts';
import type { ResolvedConfig } from '../cluster/config.ts';
import { type Connection, reasonOf, typeOf, unavailable } from '../cluster/connection.ts';
import type { StoreLog } from '../cluster/store-log.ts';
import { asked, readCluster, refused } from '../cluster/version.ts';
import { indexBody, TEMPLATE_VERSION, type Template, templates } from './mappings.ts';
import { Names } from './names.ts';

/** Somebody else's templates are among them: what is in their `_meta` is theirs. */
const STORED_TEMPLATE = z.object({
  index_patterns: z.array(z.string()).optional(),
  priority: z.number().optional(),
  _meta: z.looseObject({}).optional(),
});
export type StoredTemplate = z.infer<typeof STORED_TEMPLATE>;
export const TEMPLATES = z.object({
  index_templates: z
    .array(z.object({ name: z.string(), index_template: STORED_TEMPLATE }))
    .optional(),
});

const CREATED = z.object({ shards_acknowledged: z.boolean().optional() });

/** Between two tries while the cluster is away at the start, and between two words about it. */
const TRY_AGAIN_MS = 1_000;
const SAY_AGAIN_MS = 5_000;

/**
 * Waits for a cluster that is away, as long as `startWaitMs` says. Throws STORE_UNAVAILABLE after
 * that, and BAD_INPUT at once where waiting would not help: each says what to do.
 */
export async function setUp(
  connection: Connection,
  config: ResolvedConfig,
  log: StoreLog | null,
): Promise<void> {
  const giveUpAt = performance.now() + config.startWaitMs;
  let sayAt = 0;
  for (;;) {
    try {
      await asked(() => prepare(connection, config));
      return;
    } catch (error) {
      const left = giveUpAt - performance.now();
      const away = error instanceof ShiplogError && error.code === 'STORE_UNAVAILABLE';
      if (!away || left <= 0) throw error;
      if (performance.now() >= sayAt) {
        const givingUpInSeconds = Math.ceil(left / 1_000);
        log?.warn(
          { reason: error.message, urls: config.urls, givingUpInSeconds },
          'waiting for Elasticsearch',
        );
        sayAt = performance.now() + SAY_AGAIN_MS;
      }
      await setTimeout(Math.min(TRY_AGAIN_MS, left));
    }
  }
}

async function prepare(connection: Connection, config: ResolvedConfig): Promise<void> {
  await readCluster(connection, '_all');
  await installTemplates(connection, templates(config));
  const names = new Names(config.prefix);
  await createIndex(connection, names.hosts, indexBody('hosts', config));
  await createIndex(connection, names.meta, indexBody('meta', config));
}

/** What is wrong with the template that is stored under our name; null: it can stay or be replaced. */
export function foreignOrNewer(name: string, stored: StoredTemplate): string | null {
  const product = stored._meta?.product;
  const version = versionOf(stored);
  if (product !== 'shiplog') {
    return `The index template ${name} is not Shiplog's. Remove it, or give Shiplog another prefix`;
  }
  if (version > TEMPLATE_VERSION) {
    return `The index template ${name} was made by a newer Shiplog (version ${version}, this one knows ${TEMPLATE_VERSION}). Start that one`;
  }
  return null;
}

/** The version that we gave a template; 0 if it has none. */
export function versionOf({ _meta }: StoredTemplate): number {
  return Number(_meta?.version ?? 0);
}

/** The template under a name; null: there is none. */
export async function readTemplate(
  connection: Connection,
  name: string,
): Promise<StoredTemplate | null> {
  const { status, body } = await connection.ask(
    { method: 'GET', path: `/_index_template/${name}` },
    TEMPLATES,
  );
  if (status === 404) return null;
  // Taken for "there is none", somebody else's would be written over.
  if (status >= 300) throw unavailable(`The index template ${name}: ${reasonOf(body)}`);
  return body.index_templates?.[0]?.index_template ?? null;
}

/** All are looked at before one is changed: a start that is refused leaves things as they were. */
async function installTemplates(connection: Connection, ours: readonly Template[]): Promise<void> {
  const stored = await Promise.all(ours.map(({ name }) => readTemplate(connection, name)));
  for (const [i, template] of ours.entries()) {
    const fault = stored[i] == null ? null : foreignOrNewer(template.name, stored[i]);
    if (fault !== null) throw refused(fault);
  }
  for (const [i, template] of ours.entries())
    await install(connection, template, stored[i] ?? null);
}

async function install(
  connection: Connection,
  template: Template,
  stored: StoredTemplate | null,
): Promise<void> {
  const path = `/_index_template/${template.name}`;
  const put = await connection.ask({ method: 'PUT', path, body: template.body });
  if (put.status >= 300) {
    throw refused(`The index template ${template.name} was refused: ${reasonOf(put.body)}`);
  }
  if (stored !== null && versionOf(stored) !== TEMPLATE_VERSION) {
    await addFields(connection, template);
  }
}

/** Fields that a newer version added, into the indices that are there. */
async function addFields(connection: Connection, { body }: Template): Promise<void> {
  const { mappings } = body.template as { mappings: { properties: object } };
  await connection.ask({
    method: 'PUT',
    path: `/${(body.index_patterns as string[])[0]}/_mapping`,
    query: { allow_no_indices: true },
    body: { properties: mappings.properties },
  });
}

/** Makes an index; that it is there already is fine. */
export async function createIndex(
  connection: Connection,
  index: string,
  settingsAndMappings: Record<string, unknown>,
): Promise<void> {
  const { status, body } = await connection.ask(
    {
      method: 'PUT',
      path: `/${index}`,
      query: { wait_for_active_shards: 1, timeout: '10s' },
      body: settingsAndMappings,
      timeoutMs: 15_000,
    },
    CREATED,
  );
  if (status < 300 && body.shards_acknowledged !== false) return;
  if (status >= 300 && typeOf(body) !== 'resource_already_exists_exception') {
    throw unavailable(`The index ${index} could not be made: ${reasonOf(body)}`);
  }
}

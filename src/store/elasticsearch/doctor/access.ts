/** Who we are to the cluster, and whether we may do what is needed. */
import { z } from 'zod';
import { type Finding, fine, problem, warning } from '../../../domain/finding.ts';
import { reasonOf } from '../cluster/connection.ts';
import { roleFor } from '../indices/privileges.ts';
import type { DoctorContext } from './context.ts';

const IDENTITY = z.object({
  username: z.string(),
  authentication_type: z.string().optional(),
});
const HELD = z.record(z.string(), z.boolean());
const PRIVILEGES = z.object({
  has_all_requested: z.boolean(),
  cluster: HELD.optional(),
  index: z.record(z.string(), HELD).optional(),
});

export async function checkAccess(context: DoctorContext): Promise<Finding[]> {
  const { connection } = context;
  const { status, body } = await connection.ask(
    { method: 'GET', path: '/_security/_authenticate' },
    IDENTITY,
  );
  // Without security the cluster does not know the address at all.
  if (status === 400 || status === 404 || status === 405) return [withoutSecurity(context)];
  if (status >= 300) return [problem('credentials', reasonOf(body), 'Look at the cluster.')];
  const way = body.authentication_type === undefined ? '' : ` (${body.authentication_type})`;
  return [fine('credentials', `${body.username}${way}`), await checkPrivileges(context)];
}

function withoutSecurity({ identified, config }: DoctorContext): Finding {
  const detail = 'security is off: the cluster asks nobody who they are';
  if (identified) {
    return warning(
      'credentials',
      `${detail}; the credentials that are configured are ignored`,
      'Switch security on in Elasticsearch, or remove the credentials.',
    );
  }
  const local = config.urls.every((url) => /^(localhost|127\.|\[::1\])/.test(new URL(url).host));
  if (local) return fine('credentials', `${detail} (only this machine is asked)`);
  return warning(
    'credentials',
    detail,
    'Let only Shiplog reach it by the network, or switch security on: see docs/elasticsearch.md.',
  );
}

async function checkPrivileges({ connection, names }: DoctorContext): Promise<Finding> {
  const { cluster, indices } = roleFor(names);
  const body = await connection.expect(
    {
      method: 'POST',
      path: '/_security/user/_has_privileges',
      body: { cluster, index: indices },
      safe: true,
    },
    PRIVILEGES,
  );
  const missing = [
    ...lacking(body.cluster).map((name) => `cluster:${name}`),
    ...Object.entries(body.index ?? {}).flatMap(([index, held]) =>
      lacking(held).map((name) => `${name} on ${index}`),
    ),
  ];
  if (body.has_all_requested) return fine('privileges', 'all that are needed');
  return problem(
    'privileges',
    `missing: ${missing.join(', ')}`,
    `Give the user or API key this role: ${JSON.stringify(roleFor(names))}`,
  );
}

function lacking(held: Record<string, boolean> | undefined): string[] {
  return Object.entries(held ?? {})
    .filter(([, has]) => !has)
    .map(([name]) => name);
}

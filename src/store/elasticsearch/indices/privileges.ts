/** What Shiplog does in a cluster, as the privileges that a role for it must have. */
import type { Names } from './names.ts';

const CLUSTER_PRIVILEGES = ['monitor', 'manage_index_templates'] as const;
/** `manage`: indices of each day are made, refreshed, asked for statistics, and removed. */
const INDEX_PRIVILEGES = ['read', 'write', 'manage'] as const;

/** The body of a role (`PUT /_security/role/…`), or of an API key's role descriptor. */
export function roleFor(names: Names) {
  return {
    cluster: [...CLUSTER_PRIVILEGES],
    indices: [{ names: [`${names.prefix}-*`], privileges: [...INDEX_PRIVILEGES] }],
  };
}

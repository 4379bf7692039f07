/**
 * What answers at the addresses, judged before anything is asked of it. Waiting helps where it is
 * away; where it refuses us, is too old, or is something else, only a person does.
 */
import { errors } from '@elastic/elasticsearch';
import { z } from 'zod';
import { ShiplogError } from '../../../domain/errors.ts';
import { type Connection, reasonOf, typeOf, unavailable } from './connection.ts';

const OLDEST_MAJOR = 9;

export interface ClusterNode {
  name: string;
  version: string;
}

export interface Cluster {
  name: string;
  nodes: ClusterNode[];
}

const NODES = z.object({
  cluster_name: z.string().optional(),
  nodes: z.record(z.string(), z.object({ name: z.string(), version: z.string() })).optional(),
});

/**
 * The nodes that answer: all of them, or (`_local`) the one that was asked. Throws BAD_INPUT where
 * one is too old, it is not Elasticsearch, or it refuses the credentials; else STORE_UNAVAILABLE.
 */
export async function readCluster(
  connection: Connection,
  which: '_all' | '_local',
): Promise<Cluster> {
  const { status, body } = await asked(() =>
    connection.ask(
      {
        method: 'GET',
        path: `/_nodes/${which}/http`,
        query: { filter_path: 'error,cluster_name,nodes.*.name,nodes.*.version' },
      },
      NODES,
    ),
  );
  // The answer of an earlier major version, which does not know the media type that our client
  // sends.
  if (typeOf(body) === 'media_type_header_exception') {
    throw refused(`Elasticsearch ${OLDEST_MAJOR} or later is needed; this one is older`);
  }
  // Elasticsearch says of what kind its refusals are; a proxy in trouble says 5xx, or to come back.
  const isElsewhere = status >= 400 && status < 500 && status !== 408 && status !== 429;
  if (isElsewhere && typeOf(body) === '') {
    throw refused(`What answers there is not Elasticsearch ${OLDEST_MAJOR} (it says ${status})`);
  }
  const nodes = Object.values(body.nodes ?? {});
  if (status >= 300 || nodes.length === 0) throw unavailable(`It refused: ${reasonOf(body)}`);
  for (const { name, version } of nodes) {
    if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
      throw refused(
        `Elasticsearch ${OLDEST_MAJOR} or later is needed; the node ${name} is ${version}`,
      );
    }
  }
  return { name: body.cluster_name ?? '', nodes };
}

/** Runs `body`; what no waiting would change becomes BAD_INPUT. */
export async function asked<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

function refusalOf(error: unknown): ShiplogError | null {
  const { cause, message } = error as Error;
  if (cause instanceof errors.ProductNotSupportedError) {
    return refused(
      `What answers there is not Elasticsearch ${OLDEST_MAJOR} (it does not name itself)`,
    );
  }
  if (!(cause instanceof errors.ResponseError)) return null;
  if (cause.statusCode === 401) {
    return refused(`${message}. Look at SHIPLOG_ELASTICSEARCH_API_KEY, or _USERNAME and _PASSWORD`);
  }
  if (cause.statusCode === 403) {
    return refused(`${message}. docs/elasticsearch.md has the role that is needed`);
  }
  return null;
}

export function refused(message: string): ShiplogError {
  return new ShiplogError('BAD_INPUT', message);
}

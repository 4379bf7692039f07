/** Whether each address leads to a node of one cluster, new enough, that takes our credentials. */
import { z } from 'zod';
import { ShiplogError } from '../../../domain/errors.ts';
import { type Finding, fine, problem, warning } from '../../../domain/finding.ts';
import type { ElasticsearchConfig } from '../cluster/config.ts';
import { Connection } from '../cluster/connection.ts';
import { asked, type Cluster, readCluster } from '../cluster/version.ts';

const CLUSTER = z.object({ cluster_uuid: z.string() });

interface Visit {
  url: string;
  finding: Finding;
  /** null: it does not answer us. */
  clusterUuid: string | null;
}

/** `answering`: the addresses by which the rest can be asked. */
export async function checkAddresses(
  options: ElasticsearchConfig,
  timeoutMs: number,
): Promise<{ findings: Finding[]; answering: string[] }> {
  const visits = await Promise.all(options.urls.map((url) => visit(options, url, timeoutMs)));
  const findings = visits.map(({ finding }) => finding);
  const answering = visits.filter(({ clusterUuid }) => clusterUuid !== null);
  // Where one node answers, Shiplog goes past those that do not.
  if (answering.length > 0) {
    for (const [i, { finding }] of visits.entries()) {
      if (finding.state === 'problem' && visits[i]?.clusterUuid === null) {
        findings[i] = { ...finding, state: 'warning' };
      }
    }
  }
  const clusters = new Set(answering.map(({ clusterUuid }) => clusterUuid));
  if (clusters.size > 1) {
    findings.push(
      problem(
        'cluster',
        `these addresses lead to ${clusters.size} different clusters`,
        'Name the nodes of one cluster only: events would be spread over all of them.',
      ),
    );
  } else if (options.urls.length === 1 && answering.length === 1) {
    findings.push(...onlyOne(options.urls[0] as string));
  }
  return { findings, answering: answering.map(({ url }) => url) };
}

function onlyOne(url: string): Finding[] {
  const { hostname } = new URL(url);
  if (hostname === 'localhost' || hostname.startsWith('127.')) return [];
  return [
    warning(
      'addresses',
      'only one address is configured',
      'If it is one node (not a load balancer), add others to SHIPLOG_ELASTICSEARCH_URL: Shiplog goes past nodes that are away.',
    ),
  ];
}

async function visit(options: ElasticsearchConfig, url: string, timeoutMs: number): Promise<Visit> {
  const connection = new Connection({ ...options, urls: [url] }, timeoutMs);
  const began = performance.now();
  const check = `node ${url}`;
  try {
    const cluster = await asked(() => readCluster(connection, '_local'));
    const took = Math.round(performance.now() - began);
    const clusterUuid = await readUuid(connection);
    return { url, clusterUuid, finding: fine(check, describe(cluster, took)) };
  } catch (error) {
    const { code, message } = error as ShiplogError;
    const advice =
      error instanceof ShiplogError && code === 'BAD_INPUT'
        ? 'Correct SHIPLOG_ELASTICSEARCH_URL or the credentials, or upgrade Elasticsearch.'
        : 'Start it, or correct SHIPLOG_ELASTICSEARCH_URL (and _CA for https); look at firewalls.';
    return { url, clusterUuid: null, finding: problem(check, message, advice) };
  } finally {
    await connection.close();
  }
}

function describe({ name, nodes }: Cluster, tookMs: number): string {
  const [node] = nodes;
  return `${node?.name} of the cluster ${name}, Elasticsearch ${node?.version}, answers in ${tookMs} ms`;
}

async function readUuid(connection: Connection): Promise<string> {
  const { cluster_uuid } = await asked(() =>
    connection.expect(
      {
        method: 'GET',
        path: '/_cluster/state/version',
        query: { filter_path: 'cluster_uuid' },
      },
      CLUSTER,
    ),
  );
  return cluster_uuid;
}

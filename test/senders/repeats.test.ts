/** What OpenTelemetry's exporters and Docker's driver send again, on both engines: it counts once. */
import { beforeAll, expect, it } from 'vitest';
import { bodyDigest } from '../../src/senders/identity.ts';
import { documentOfRecord } from '../../src/senders/otlp/log-record.ts';
import { readProtobufLogs } from '../../src/senders/otlp/logs-protobuf.ts';
import { hecDocuments } from '../../src/senders/splunk/hec-documents.ts';
import { type Taken, takeAll } from '../../src/senders/take-all.ts';
import { describeOnEngines } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';
import { protobufLogs } from './otlp/protobuf-writer.ts';

const REPORTER = { tokenId: null, address: '10.0.0.9' };
const AT = 1_795_745_000;

describeOnEngines('what is sent again', (engine) => {
  let shiplog: Shiplog;
  beforeAll(async () => {
    shiplog = await startShiplog(await engine.open());
    return () => shiplog.close();
  });

  const messagesOf = async (taskId: string): Promise<(string | null)[]> => {
    const page = { limit: 50, backward: false, after: null, before: null, around: null };
    const [found] = await shiplog.store.events([
      { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
    ]);
    return (found?.rows ?? []).map(({ node }) => node.message);
  };

  it('as the very same OTLP body, hours later too, adds nothing; a like one of new records does', async () => {
    const body = (time: bigint) =>
      protobufLogs({
        resource: { 'shiplog.task': 'again-otlp' },
        records: ['same', 'same', 'other'].map((text) => ({ time, body: text })),
      });
    const send = (bytes: Buffer, receivedAt: number): Promise<Taken> => {
      const digest = bodyDigest(bytes, '/v1/logs');
      const documents = [...readProtobufLogs(bytes)].map((found, ordinal) =>
        documentOfRecord(found, digest, ordinal, receivedAt),
      );
      return takeAll(shiplog.senders, documents, REPORTER);
    };
    const first = body(BigInt(AT) * 1_000_000_000n + 5n);
    expect(await send(first, AT * 1_000)).toMatchObject({ stored: 3, rejected: 0 });
    await send(first, AT * 1_000 + 7_200_000);
    expect(await messagesOf('again-otlp')).toEqual(['same', 'same', 'other']);
    await send(body(BigInt(AT) * 1_000_000_000n + 6n), AT * 1_000);
    expect(await messagesOf('again-otlp')).toHaveLength(6);
  });

  it('as lines of a container among others adds the others alone', async () => {
    const line = (text: string, microseconds: number) =>
      JSON.stringify({
        event: {
          line: text,
          source: 'stdout',
          tag: 'web-1/0123456789ab',
          attrs: { task: 'again-hec' },
        },
        time: `${AT}.${String(microseconds).padStart(6, '0')}`,
        host: 'vm',
      });
    const send = (text: string) =>
      takeAll(shiplog.senders, hecDocuments(text, {}, AT * 1_000), REPORTER);
    const first = line('a', 1) + line('a', 1) + line('b', 2);
    await send(first);
    await send(first + line('b', 3));
    await send(line('b', 3));
    expect(await messagesOf('again-hec')).toEqual(['a', 'a', 'b', 'b']);
  });
});

/** Syslog over TCP, from real sockets into a real store. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ShiplogError } from '../../../src/domain/errors.ts';
import type { Senders } from '../../../src/senders/senders.ts';
import { listenSyslog, type SyslogListener } from '../../../src/senders/syslog/listener.ts';
import { describeOnEngines, quietLog } from '../../support/engines.ts';
import { type Shiplog, startShiplog } from '../../support/shiplog.ts';
import { recorded } from '../recorded.ts';

type Taking = Pick<Senders, 'take' | 'noteMisfit'>;

function listener(senders: Taking): Promise<SyslogListener> {
  return listenSyslog({ host: '127.0.0.1', port: 0, senders, now: Date.now, log: quietLog });
}

function sender({ address }: SyslogListener): Socket {
  return connect(Number(address.split(':')[1]), '127.0.0.1');
}

describeOnEngines('syslog over TCP', (engine) => {
  let shiplog: Shiplog;
  let syslog: SyslogListener;
  beforeAll(async () => {
    shiplog = await startShiplog(await engine.open());
    syslog = await listener(shiplog.senders);
    return async () => {
      await syslog.close();
      await shiplog.close();
    };
  });

  const messagesOf = async (taskId: string): Promise<(string | null)[]> => {
    const page = { limit: 100, backward: false, after: null, before: null, around: null };
    const [found] = await shiplog.store.events([
      { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
    ]);
    return (found?.rows ?? []).map(({ node }) => node.message);
  };

  it('of three programs at a time is stored line by line, in order', async () => {
    const sockets = ['rsyslog', 'logger', 'winston-syslog'].map((name) => {
      const socket = sender(syslog);
      socket.end(recorded(`syslog/${name}.bytes`));
      return once(socket.resume(), 'close');
    });
    await Promise.all(sockets);
    await vi.waitFor(async () => {
      expect(await messagesOf('program/shop/2026-11-27')).toHaveLength(100);
    }, 10_000);
    const rsyslog = (await messagesOf('program/shop/2026-11-27')).filter((text) =>
      text?.startsWith('tryrsyslog'),
    );
    expect(rsyslog).toEqual(rsyslog.toSorted());
  });

  it('in bytes that are no UTF-8 is stored with those replaced, which is counted', async () => {
    const line = '<13>1 2026-11-27T22:14:15.003Z web-1 latin - - - gr\xfc\xdf\n';
    sender(syslog).end(Buffer.from(line, 'latin1'));
    await vi.waitFor(async () => {
      expect(await messagesOf('program/latin/2026-11-27')).toEqual(['gr\ufffd\ufffd']);
    }, 10_000);
    expect(shiplog.senders.metrics()['sender_misfits_total{reason="text"}']).toBe(1);
  });
});

describe('a sender of syslog', () => {
  let shiplog: Taking;
  let release: () => void;
  let syslog: SyslogListener;
  const taken: string[] = [];
  beforeAll(async () => {
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let refusals = 2;
    // A store that is away at first and then slow: both cannot be had from a real one at will.
    shiplog = {
      async take(documents) {
        if (refusals-- > 0) throw new ShiplogError('STORE_UNAVAILABLE', 'away');
        await gate;
        taken.push(...documents.map(({ said }) => String(said?.message)));
        return documents.map(() => ({ outcome: 'STORED', eventId: 'e', problem: null }) as const);
      },
      noteMisfit() {},
    };
    syslog = await listener(shiplog);
  });
  afterAll(() => syslog.close());

  it('is not read while the store is away, loses nothing, and is read to its end', async () => {
    const socket = sender(syslog);
    await once(socket, 'connect');
    const line = (at: number) => `<13>${at} ${'x'.repeat(1_000)}\n`;
    let sent = 0;
    // Until the buffers of both sides are full: nothing drains them.
    for (let full = 0; full < 50; sent++) full = socket.write(line(sent)) ? 0 : full + 1;
    while (socket.writableLength < 8 * 1024 * 1024) socket.write(line(sent++));
    expect(taken).toEqual([]);
    release();
    socket.end();
    await once(socket.resume(), 'close');
    await vi.waitFor(() => expect(taken).toHaveLength(sent), 20_000);
    expect(taken.map((text) => Number(text.split(' ')[0]))).toEqual([...Array(sent).keys()]);
  });

  it('that is in the middle of a line when the server stops has all of it stored', async () => {
    const ending = await listener(shiplog);
    const before = taken.length;
    const socket = sender(ending);
    socket.write('<13>whole\n<13>begun');
    await vi.waitFor(() => expect(taken).toHaveLength(before + 1), 10_000);
    await ending.close();
    expect(taken.slice(before)).toEqual(['whole', 'begun']);
    socket.destroy();
  });

  it('finds the port that it was told, or the server says which setting is wrong', async () => {
    const port = Number(syslog.address.split(':')[1]);
    const second = listenSyslog({
      host: '127.0.0.1',
      port,
      senders: shiplog,
      now: Date.now,
      log: quietLog,
    });
    await expect(second).rejects.toMatchObject({ field: 'SHIPLOG_SYSLOG_PORT' });
  });
});

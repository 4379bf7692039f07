import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LANGUAGES } from './agent.ts';
import { testFaults } from './faults.ts';
import { storedMessages } from './spooled.ts';
import { startStubServer, stored } from './stub-server.ts';

describe.runIf(LANGUAGES.includes('python'))('shiplog.py', () => {
  const { directory, agentOf, deliverRest, linesStored } = testFaults('python');

  it('takes what the handler of a signal reports in the middle of a report after it, each with a number of its own', async () => {
    const stub = await startStubServer(stored);
    const agent = agentOf('handled', stub.url);
    await agent.call('step', 'handled', 'web-1', 'download');
    await agent.call('interrupted', 'say');
    await agent.call('line', 'after it');
    expect((await agent.call('close', 20)).result, agent.stderr()).toBe('0');
    stub.stop();
    const events = stub.got.flatMap(({ lines }) => lines.map((line) => JSON.parse(line)));
    expect(events.map(({ sequence, message, params }) => [sequence, message ?? params])).toEqual([
      [1, { by: 'a signal' }],
      [2, 'in the middle'],
      [3, 'of a report'],
      [4, 'after it'],
    ]);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(4);
  });

  it('delivers what the handler of a signal says in the middle of a report before it ends the agent', async () => {
    const stub = await startStubServer(stored);
    const agent = agentOf('ended', stub.url);
    await agent.call('step', 'ended', 'web-1', 'download');
    await agent.call('line', 'before it');
    agent.call('interrupted', 'end').catch(() => {});
    expect(await agent.end(), agent.stderr()).toBe(3);
    stub.stop();
    const events = stub.got.flatMap(({ lines }) => lines.map((line) => JSON.parse(line)));
    expect(events.map(({ sequence, message, status }) => [sequence, message ?? status])).toEqual([
      [1, 'before it'],
      [2, 'FAILED'],
    ]);
    expect(await readdir(join(directory(), 'ended'))).toEqual([]);
  });

  it('keeps the file of the parent when a child that was forked in the middle of a report ends', async () => {
    const agent = agentOf('forked', 'http://127.0.0.1:9');
    await agent.call('step', 'forked', 'web-1', 'download');
    await agent.call('line', 'before it');
    expect((await agent.call('fork')).result, agent.stderr()).toBe('0');
    await agent.call('lines', 1, 2);
    expect(await storedMessages(join(directory(), 'forked'))).toEqual([
      'before it',
      'line 1',
      'line 2',
    ]);
    await agent.kill();
    await deliverRest('forked');
    expect(await linesStored('forked')).toEqual([1, 2]);
  });

  it('leaves what it had not delivered to the next agent, though a child that it forked lives on', async () => {
    const agent = agentOf('orphan', 'http://127.0.0.1:9');
    await agent.call('step', 'orphan', 'web-1', 'download');
    await agent.call('lines', 1, 3);
    await expect(agent.call('orphan')).rejects.toThrow();
    await deliverRest('orphan');
    expect(await linesStored('orphan')).toEqual([1, 2, 3]);
    await agent.kill();
  });

  it('waits no longer than for any other answer for one that comes byte by byte', async () => {
    let requests = 0;
    const drip = createServer((socket) => {
      requests++;
      const dripping = setInterval(() => socket.write('H'), 50);
      socket.on('error', () => {}).on('close', () => clearInterval(dripping));
    }).listen(0, '127.0.0.1');
    await once(drip, 'listening');
    const url = `http://127.0.0.1:${(drip.address() as AddressInfo).port}`;
    const agent = agentOf('drip', url, { AGENT_CALL_TIMEOUT: '0.5' });
    await agent.call('step', 'drip', 'web-1', 'download');
    await agent.call('line', 'line 1');
    await expect.poll(() => requests, { timeout: 20_000 }).toBeGreaterThan(1);
    expect(agent.stderr()).toContain('it takes too long');
    await agent.kill();
    drip.close();
  });

  it('goes on, deploying and delivering, on a full disk that takes no complaint either', async () => {
    const stub = await startStubServer((got) =>
      got.lines.some((line) => line.includes('poison'))
        ? { status: 400, body: '{"error":{"code":"BAD_REQUEST","message":"what is this?"}}' }
        : stored(got),
    );
    const agent = agentOf('full', stub.url);
    await agent.call('step', 'full', 'web-1', 'download');
    await agent.call('stderr', join(directory(), 'full.log'));
    await agent.call('limit', 0);
    await agent.call('lines', 1, 3);
    await agent.call('line', 'poison');
    await agent.call('line', 'after it');
    expect((await agent.call('flush', 20)).result).toBe('true');
    await agent.call('running', 'make');
    expect((await agent.call('close', 20)).result).toBe('0');
    expect(await agent.end(), agent.stderr()).toBe(0);
    stub.stop();
    expect(stub.got.some(({ lines }) => lines.some((line) => line.includes('after it')))).toBe(
      true,
    );
    expect(await readFile(join(directory(), 'full.log'), 'utf8')).toBe('');
  });
});

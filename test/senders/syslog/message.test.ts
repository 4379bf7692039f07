/** Syslog messages of real programs and of the RFCs as documents. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_MAPPING } from '../../../src/senders/mapping/default-mapping.ts';
import { mapDocument } from '../../../src/senders/mapping/map-document.ts';
import { FrameSplitter } from '../../../src/senders/syslog/frames.ts';
import { syslogDocument } from '../../../src/senders/syslog/message.ts';
import { RECEIVED_AT } from '../documents.ts';
import { recorded } from '../recorded.ts';

function eventOf(text: string) {
  return mapDocument(syslogDocument(text, RECEIVED_AT), DEFAULT_MAPPING, '10.0.0.9').event;
}

describe('a syslog message', () => {
  it.for([
    [
      'of RFC 5424',
      '<165>1 2026-11-27T02:09:21.003Z web-1 shop 8710 ID47 [ex@1 iut="3" q="a\\"]b"][x@2 y="z"] \ufeffstarted',
      {
        host: 'web-1',
        level: 'INFO',
        message: 'started',
        at: Date.UTC(2026, 10, 27, 2, 9, 21, 3),
        taskId: 'program/shop/2026-11-27',
        labels: { program: 'shop', pid: '8710' },
        params: {
          msgid: 'ID47',
          structured_data: { 'ex@1': { iut: '3', q: 'a"]b' }, 'x@2': { y: 'z' } },
        },
      },
    ],
    ['of RFC 5424 with nothing in it', '<11>1 - - - - - -', { level: 'ERROR', message: '' }],
    [
      'of RFC 3164',
      "<34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed",
      {
        host: 'mymachine',
        level: 'FATAL',
        message: "'su root' failed",
        at: Date.UTC(2026, 9, 11, 22, 14, 15),
        labels: { program: 'su', pid: '12' },
      },
    ],
    [
      'of RFC 3164 without a tag',
      '<13>Oct  1 22:14:15 fe80::1 just words: here',
      { host: 'fe80::1', message: 'just words: here' },
    ],
    [
      'as rsyslog forwards it',
      '<30>2026-11-27T02:09:19.5+00:00 web-1 app: text',
      { host: 'web-1', message: 'text', at: Date.UTC(2026, 10, 27, 2, 9, 19, 500) },
    ],
    [
      'that has a priority and a text alone',
      '<12>error: two\nlines',
      { host: '10.0.0.9', level: 'WARN', message: 'error: two\nlines' },
    ],
    ['without a priority', 'just text', { message: 'just text' }],
    ['with a priority that there is not', '<999>text', { message: '<999>text' }],
    [
      'of a container by its id',
      '<30>1 2026-11-27T02:09:22Z vm 9bbf22724d31 29643 9bbf22724d31 - x',
      {
        taskId: 'container/9bbf22724d31/2026-11-27',
        labels: { container: '9bbf22724d31', container_id: '9bbf22724d31' },
        message: 'x',
      },
    ],
    [
      'of a container by its name, without a host',
      '<27>Nov 27 02:09:19 sys-9908/b717a58bb932[29643]: two',
      {
        taskId: 'container/sys-9908/2026-11-27',
        host: '10.0.0.9',
        level: 'ERROR',
        labels: { container: 'sys-9908', container_id: 'b717a58bb932' },
        message: 'two',
      },
    ],
  ] as const)('%s is told apart', ([, text, expected]) => {
    expect(eventOf(text)).toMatchObject(expected);
  });
});

describe('the bytes of', () => {
  const read = (name: string, chunk: number): string[] => {
    const frames = new FrameSplitter();
    const bytes = recorded(`syslog/${name}.bytes`);
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += chunk) {
      for (const frame of frames.push(bytes.subarray(at, at + chunk))) found.push(`${frame}`);
    }
    for (const frame of frames.end()) found.push(`${frame}`);
    return found;
  };

  it.for([
    ['rsyslog', 'tryrsyslogmwycd9s2-host'],
    ['logger', 'vm'],
    ['winston-syslog', 'trywinstonsyslogmwycdbzs-host'],
  ] as const)('%s are its fifty lines, in whatever pieces they come', ([name, host]) => {
    for (const chunk of [1, 7, 1_000, 100_000]) {
      const events = read(name, chunk).map(eventOf);
      expect(events).toHaveLength(50);
      for (const [at, event] of events.entries()) {
        const number = String(at + 1).padStart(5, '0');
        expect(event).toMatchObject({ host, labels: { program: 'shop' } });
        expect(event.message).toMatch(new RegExp(`line ${number} fetched part ${at + 1} of 50$`));
      }
    }
  });

  it("Docker's driver are lines of their containers in each of its formats", () => {
    const lines = read('docker', 1_000).filter((line) => !line.startsWith('---'));
    const events = lines.map(eventOf);
    const texts = new Map<string, string[]>();
    for (const { taskId, message } of events) {
      if (!/^container\/sys-\d+\/2026-11-27$/.test(taskId)) continue;
      texts.set(taskId, [...(texts.get(taskId) ?? []), String(message)]);
    }
    expect(texts.size).toBe(4);
    for (const found of texts.values()) {
      expect(found.toSorted()).toEqual(['a\tb é 连接', 'last', 'one', 'two']);
    }
    expect(events.filter(({ message }) => String(message).length > 10_000)).not.toEqual([]);
  });
});

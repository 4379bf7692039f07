/** What the server holds: idle, after 100,000 events, and with a thousand subscribers. */
import { anEvent } from '../events.ts';
import { load } from '../load.ts';
import { graphql, serveShiplog } from '../process.ts';
import { atMost, type Measurement } from '../row.ts';
import { subscribe, TAIL } from '../subscribers.ts';

const EVENTS = 100_000;
const LINES = 500;
const SUBSCRIBERS = 1_000;
/** Where idle memory is given back, if it is. */
const REST_MS = 2_000;

const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS));

export const memory: Measurement = {
  name: 'memory',
  about: 'resident memory: idle, after 100,000 events, with 1,000 subscribers',
  async run({ say, nodeFlags }) {
    const server = await serveShiplog({ nodeFlags });
    await graphql(server.url, '{ server { version } }');
    await rest();
    const idle = server.rss();
    say(`${EVENTS.toLocaleString('en')} events`);
    let host = 0;
    await load({
      port: server.port,
      path: '/v1/events',
      connections: 4,
      seconds: 0,
      contentType: 'application/x-ndjson',
      body: () => '',
      queue: Array.from({ length: EVENTS / LINES }, () =>
        Array.from({ length: LINES }, () =>
          JSON.stringify(anEvent('memory', `web-${host++ % 200}`)),
        ).join('\n'),
      ),
      good: (answer) => answer.includes(`"stored":${LINES}`),
    });
    await rest();
    const filled = server.rss();
    const variables = { filter: { taskId: 'memory' } };
    const subscribers = [];
    for (let i = 0; i < SUBSCRIBERS; i += 100) {
      const some = Array.from({ length: 100 }, () =>
        subscribe(server.url, TAIL, variables, () => {}),
      );
      subscribers.push(...(await Promise.all(some)));
    }
    await rest();
    const followed = server.rss();
    for (const subscriber of subscribers) subscriber.close();
    await server.stop();
    return [
      { what: 'memory, idle: MiB', ours: idle },
      {
        what: 'memory after 100,000 events: MiB',
        ours: filled,
        peer: 230,
        note: 'peer: VictoriaLogs after a million, measured elsewhere',
      },
      {
        what: 'memory with 1,000 subscribers: MiB',
        ours: followed,
        aim: atMost(followed, 500),
        note: `${(((followed - filled) * 1024) / SUBSCRIBERS).toFixed(0)} KiB each`,
      },
    ];
  },
};

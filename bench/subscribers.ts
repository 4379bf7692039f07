/** Light websocket clients that speak just enough graphql-transport-ws to subscribe. */
import { WebSocket } from 'ws';

export interface Subscriber {
  close(): void;
}

/** Resolves when the first result is in; `onResult` gets the text of each later one. */
export function subscribe(
  url: string,
  query: string,
  variables: object,
  onResult: (text: string) => void,
): Promise<Subscriber> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    let begun = false;
    socket.on('error', reject);
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data: Buffer) => {
      const text = data.toString('latin1');
      if (text.includes('"connection_ack"')) {
        const payload = { query, variables };
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      } else if (text.includes('"type":"next"')) {
        if (begun) onResult(text);
        else {
          begun = true;
          resolve({ close: () => socket.terminate() });
        }
      } else if (text.includes('"type":"error"')) reject(new Error(text));
    });
  });
}

export const TAIL = `subscription Tail($filter: EventFilter!) {
  tail(filter: $filter) { cursor events { eventId at hostName step level message } }
}`;

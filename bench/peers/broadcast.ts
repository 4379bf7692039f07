/** A raw `ws` broadcast: what is POSTed goes to every socket, as it is. */
import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

const sockets = new Set<WebSocket>();
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    for (const socket of sockets) socket.send(body);
    response.setHeader('content-length', 2).end('{}');
  });
});
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  sockets.add(socket);
  // Enough of the protocol for the same clients.
  socket.on('message', (data: Buffer) => {
    const init = data.toString('latin1').includes('connection_init');
    socket.send(init ? '{"type":"connection_ack"}' : '{"id":"1","type":"next","payload":{}}');
  });
  socket.on('close', () => sockets.delete(socket));
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});

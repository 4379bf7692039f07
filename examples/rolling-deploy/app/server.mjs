// The service that is deployed: it says that it is well, and which version it is.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const version = readFileSync(new URL('VERSION', import.meta.url), 'utf8').trim();
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.statusCode = request.url === '/health' ? 200 : 404;
  response.end(JSON.stringify({ status: 'ok', version }));
});
server.listen(0, '127.0.0.1', () => {
  writeFileSync(process.env.PORT_FILE, String(server.address().port));
});

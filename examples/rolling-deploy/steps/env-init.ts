import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { host } from './host.ts';

const variables = { HOST_NAME: host.name, APP_VERSION: host.version, PORT_FILE: host.portFile };
const text = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
writeFileSync(join(host.app, '.env'), text.join(''));
console.log(`${text.length} variables written`);

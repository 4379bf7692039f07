import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/domain/redact/redact.ts';

const { text, json } = createRedactor();

const SECRET = 'Hunter2';
/** Commands with a secret, as lists of arguments. */
const COMMANDS: string[][] = [
  ['mysql', '-uroot', '-pHunter2', 'shop'],
  ['/usr/bin/mysql', '-uroot', '-pHunter2 x', 'shop'],
  ['sudo', '-u', 'bob', 'mysqldump', '-pHunter2', '--all-databases'],
  ['env', 'A=1', 'mariadb', '-u', 'root', '-pHunter2'],
  ['mysqladmin', '-u', 'root', 'password', 'Hunter2'],
  ['sshpass', '-p', 'Hunter2', 'ssh', '-p', '22', 'web-1'],
  ['sshpass', '-pHunter2', 'ssh', 'web-1'],
  ['curl', '-s', '-u', 'bob:Hunter2', 'http://127.0.0.1:1/'],
  ['curl', '-sSu', 'bob:Hunter2', 'http://127.0.0.1:1/'],
  ['curl', '--user=bob:Hunter2', 'http://127.0.0.1:1/'],
  ['curl', '--proxy-user', 'bob:Hunter2', 'http://127.0.0.1:1/'],
  ['curl', '-H', 'Cookie: sid=Hunter2; a=b', 'http://127.0.0.1:1/'],
  ['curl', '-H', 'Authorization: Bearer Hunter2Hunter2', 'http://127.0.0.1:1/'],
  ['curl', 'http://bob:Hunter2@127.0.0.1:1/'],
  ['redis-cli', '-a', 'Hunter2', 'ping'],
  ['redis-cli', 'auth', 'Hunter2'],
  ['docker', 'login', '-u', 'bob', '-p', 'Hunter2', 'registry.example.net'],
  ['podman', 'login', '-pHunter2', 'registry.example.net'],
  ['skopeo', 'copy', '--src-creds', 'bob:Hunter2', 'a', 'b'],
  ['wget', '--password', 'Hunter2', 'http://x'],
  ['wget', '--http-password=Hunter2', 'http://x'],
  ['ansible', 'all', '-e', 'ansible_ssh_pass=Hunter2', '-m', 'ping'],
  ['kubectl', '--token', 'Hunter2', 'get', 'pods'],
  ['kubectl', 'create', 'secret', 'generic', 'x', '--from-literal=a=Hunter2'],
  ['openssl', 'rsa', '-passin', 'pass:Hunter2', '-in', 'key.pem'],
  ['openssl', 'enc', '-aes-256-cbc', '-k', 'Hunter2'],
  ['htpasswd', '-b', '.htpasswd', 'bob', 'Hunter2'],
  ['htpasswd', '-nb', 'bob', 'Hunter2'],
  ['psql', 'postgres://bob:Hunter2@db/shop'],
  ['PGPASSWORD=Hunter2', 'psql', '-h', 'db'],
  ['mongodump', '-u', 'bob', '-p', 'Hunter2'],
  ['ldapsearch', '-D', 'cn=x', '-w', 'Hunter2'],
  ['sqlplus', 'scott/Hunter2@db'],
  ['sqlcmd', '-U', 'sa', '-P', 'Hunter2'],
  ['smbclient', '//x/y', '-U', 'bob%Hunter2'],
  ['keytool', '-storepass', 'Hunter2', '-list'],
  ['ssh-keygen', '-N', 'Hunter2', '-f', 'id'],
  ['zip', '-P', 'Hunter2', 'a.zip', 'a'],
  ['7z', 'a', '-pHunter2', 'a.7z'],
  ['vault', 'login', 'Hunter2'],
  ['rabbitmqctl', 'add_user', 'bob', 'Hunter2'],
  ['aws', 'configure', 'set', 'aws_secret_access_key', 'Hunter2'],
  ['bash', '-c', 'mysql -uroot -pHunter2 shop'],
  ['ssh', 'web-1', 'redis-cli -a Hunter2 ping'],
  ['tool', '--pass', 'Hunter2'],
  ['plink', '-pw', 'Hunter2', 'web-1'],
  ['java', '-Dspring.datasource.password=Hunter2', '-jar', 'a.jar'],
];
const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
const doubly = (word: string) => (/\s/.test(word) ? `"${word}"` : word);

describe('a secret in a command', () => {
  it.each(COMMANDS)('is in no form of it: %s %s %s %s %s', (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    const forms = [
      text(words.map(quoted).join(' ')),
      text(words.map(doubly).join(' ')),
      text(`+ ${words.map(quoted).join(' ')}; echo done`),
      text(`run ${words.join(' ')}`),
      text(`[${words.map((word) => `'${word}'`).join(', ')}]`),
      text(JSON.stringify({ argv: words })),
      JSON.stringify(json({ argv: words })),
      JSON.stringify(json({ a: [{ deep: { args: ['sudo', ...words] } }] })),
      JSON.stringify(json({ command: words[0] ?? '', args: words.slice(1) })),
      JSON.stringify(json({ rest: words.slice(1) }, words.map(quoted).join(' '))),
    ];
    for (const form of forms) expect(form).not.toContain(SECRET);
    expect(forms.map((form) => text(form))).toEqual(forms);
  });

  it.each([
    ['mysql -h db -P 3306 shop'],
    ['mysql -p shop'],
    ['docker run -p 8080:80 --name mysql -p 3306:3306 nginx'],
    ['mkdir -p /data'],
    ['ps -p 1'],
    ['ssh -p 22 web-1'],
    ['docker run -u 1000:1000 -p 80:80 shop'],
    ['curl -s -o /dev/null http://127.0.0.1:1/'],
    ['git -c user.name=bob push -u origin main'],
    ['openssl rsa -passin env:KEY_PW -in key.pem'],
    ['htpasswd -c .htpasswd bob'],
    ['vault login -method=oidc'],
    ['sqlplus / as sysdba'],
    ['redis-cli -h db ping'],
    ['tar -czf a.tgz -C /srv app'],
  ])('is not seen in %j, as a text or a list', (command) => {
    expect(text(command)).toBe(command);
    const argv = command.split(' ');
    expect(json({ argv })).toEqual({ argv });
  });
});

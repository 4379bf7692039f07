import { describe, expect, it } from 'vitest';
import { Reason } from '../../src/domain/failure/reason.ts';
import { cpuMs } from '../support/cpu-ms.ts';

function reasonOf(stderr: string, stdout = ''): string {
  const reason = new Reason();
  for (const line of stdout.split('\n')) reason.add('STDOUT', line);
  for (const line of stderr.split('\n')) reason.add('STDERR', line);
  return reason.text();
}

/** What a tool prints (on stderr unless told otherwise), and what a person needs of it. */
const SAID: [tool: string, stderr: string, reason: string, stdout?: string][] = [
  ['one line', 'disk full', 'disk full'],
  ['a word that begins like a hint', 'expected 4ad0\nchecksum mismatch', 'checksum mismatch'],
  ['a hint behind it', 'no space left\ncheck the disk of web-1', 'no space left'],
  ['blank lines at the end', 'disk full\n\n  \n', 'disk full'],
  ['colours', '\u001b[31mdisk full\u001b[0m\n\u001b[0m', 'disk full'],
  [
    'systemctl of an old kind',
    'Job for shop.service failed because the control process exited with error code. See "systemctl status shop.service" and "journalctl -xe" for details.',
    'Job for shop.service failed because the control process exited with error code.',
  ],
  [
    'systemctl',
    'Failed to start shop.service: Unit shop.service not found.\nSee "systemctl status shop.service" and "journalctl -xeu shop.service" for details.',
    'Failed to start shop.service: Unit shop.service not found.',
  ],
  [
    'nginx',
    'nginx: [emerg] host not found in upstream "web-9:80" in /etc/nginx/nginx.conf:2\nnginx: configuration file /etc/nginx/nginx.conf test failed',
    'nginx: [emerg] host not found in upstream "web-9:80" in /etc/nginx/nginx.conf:2',
  ],
  [
    'nginx that has warned before',
    'nginx: [emerg] unknown directive "foo" in /etc/nginx/nginx.conf:2\nnginx: [warn] conflicting server name "a" on 0.0.0.0:80, ignored\nnginx: configuration file /etc/nginx/nginx.conf test failed',
    'nginx: [emerg] unknown directive "foo" in /etc/nginx/nginx.conf:2',
  ],
  [
    'nginx on a port that is taken',
    'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\nnginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\nnginx: [emerg] still could not bind()',
    'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)',
  ],
  [
    'nginx that has opened its log',
    '2026/11/27 16:29:06 [emerg] 26038#26038: bind() to 0.0.0.0:80 failed (98: Address already in use)\n2026/11/27 16:29:06 [notice] 26038#26038: try again to bind() after 500ms\n2026/11/27 16:29:06 [emerg] 26038#26038: still could not bind()',
    '2026/11/27 16:29:06 [emerg] 26038#26038: bind() to 0.0.0.0:80 failed (98: Address already in use)',
  ],
  [
    'nginx whose configuration is fine, before something else failed',
    'mv: cannot stat shop.conf: No such file or directory\nnginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful',
    'mv: cannot stat shop.conf: No such file or directory',
  ],
  [
    'nginx with no more than its verdict',
    'nginx: configuration file /etc/nginx/nginx.conf test failed',
    'nginx: configuration file /etc/nginx/nginx.conf test failed',
  ],
  [
    'HAProxy',
    "[NOTICE]   (1) : haproxy version is 2.6.12\n[ALERT]    (1) : config : parsing [/etc/haproxy/haproxy.cfg:12] : unknown keyword 'foo' in 'global' section\n[ALERT]    (1) : config : Error(s) found in configuration file : /etc/haproxy/haproxy.cfg\n[ALERT]    (1) : config : Fatal errors found in configuration.",
    "[ALERT]    (1) : config : parsing [/etc/haproxy/haproxy.cfg:12] : unknown keyword 'foo' in 'global' section",
  ],
  [
    'Apache',
    "AH00526: Syntax error on line 3 of /etc/apache2/sites-enabled/shop.conf:\nInvalid command 'Foo', perhaps misspelled or defined by a module not included in the server configuration\nAction '-t' failed.\nThe Apache error log may have more information.",
    "Invalid command 'Foo', perhaps misspelled or defined by a module not included in the server configuration",
  ],
  [
    'Node',
    "node:internal/modules/cjs/loader:1143\n  throw err;\n  ^\n\nError: Cannot find module 'nope'\nRequire stack:\n- /x/[eval]\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1140:15)\n    at node:internal/main/eval_string:71:3 {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: [ '/x/[eval]' ]\n}\n\nNode.js v24.1.0",
    "Error: Cannot find module 'nope'",
  ],
  [
    'Node with a broken text',
    '[eval]:1\nJSON.parse("{")\n     ^\n\nSyntaxError: Expected property name in JSON at position 1\n    at JSON.parse (<anonymous>)\n    at [eval]:1:6\n\nNode.js v24.1.0',
    'SyntaxError: Expected property name in JSON at position 1',
  ],
  [
    'Node with a system error',
    "node:events:485\n      throw er; // Unhandled 'error' event\n      ^\n\nError: listen EADDRINUSE: address already in use :::80\n    at Server.setupListenHandle (node:net:1940:16)\nEmitted 'error' event on Server instance at:\n    at emitErrorNT (node:net:1919:8) {\n  code: 'EADDRINUSE',\n  errno: -98,\n  syscall: 'listen'\n}\n\nNode.js v24.1.0",
    'Error: listen EADDRINUSE: address already in use :::80',
  ],
  [
    'Java',
    'java.lang.IllegalStateException: no db\n\tat com.example.A.b(A.java:7)\nCaused by: java.io.IOException: broken\n\tat com.example.B.c(B.java:8)\n\t... 12 more\nCaused by: java.net.ConnectException: Connection refused\n\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)\n\t... 31 more',
    'Caused by: java.net.ConnectException: Connection refused',
  ],
  [
    'Java’s launcher',
    'Unrecognized option: -Xfoo\nError: Could not create the Java Virtual Machine.\nError: A fatal exception has occurred. Program will exit.',
    'Unrecognized option: -Xfoo',
  ],
  [
    'Python',
    'Traceback (most recent call last):\n  File "/x/a.py", line 3, in <module>\n    main()\n    ~~~~^^\n  File "/x/a.py", line 2, in main\n    raise ValueError("no db")\nValueError: no db',
    'ValueError: no db',
  ],
  [
    'Python with an exception while another is handled',
    'Traceback (most recent call last):\n  File "a.py", line 2, in <module>\nKeyError: 1\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "a.py", line 4, in <module>\n    raise OSError("disk full")\nOSError: disk full',
    'OSError: disk full',
  ],
  [
    'argparse',
    'usage: deploy [-h] --to TO\ndeploy: error: the following arguments are required: --to',
    'deploy: error: the following arguments are required: --to',
  ],
  [
    'an error with a help text behind it',
    "error: unknown option '--fast'\nUsage: deploy [options]\n\nOptions:\n  --to <host>  where to\n  -h, --help   display help for command",
    "error: unknown option '--fast'",
  ],
  [
    'an old npm',
    'npm ERR! code ENOENT\nnpm ERR!     /root/.npm/_logs/2026-01-01T00_00_00_000Z-debug.log',
    'code ENOENT',
  ],
  [
    'npm without a package',
    "npm error code ENOENT\nnpm error syscall open\nnpm error path /x/package.json\nnpm error errno -2\nnpm error enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/x/package.json'\nnpm error enoent This is related to npm not being able to find a file.\nnpm error enoent\nnpm error A complete log of this run can be found in: /root/.npm/_logs/2026-01-01T00_00_00_000Z-debug-0.log",
    "Could not read package.json: Error: ENOENT: no such file or directory, open '/x/package.json'",
  ],
  [
    'npm that was called by a script',
    'src/a.ts(1,2): error TS2304: Cannot find name x\nnpm ERR! code ELIFECYCLE\nnpm ERR! errno 2\nnpm ERR! shop@1.0.0 build: `tsc`\nnpm ERR! Exit status 2\nnpm ERR! \nnpm ERR! Failed at the shop@1.0.0 build script.\nnpm ERR! This is probably not a problem with npm. There is likely additional logging output above.\n\nnpm ERR! A complete log of this run can be found in:\nnpm ERR!     /root/.npm/_logs/2026-01-01T00_00_00_000Z-debug.log',
    'src/a.ts(1,2): error TS2304: Cannot find name x',
  ],
  [
    'yarn over a compiler that speaks on stdout',
    'error Command failed with exit code 2.',
    'src/a.ts(1,2): error TS2304: Cannot find name x',
    'yarn run v1.22.22\nsrc/a.ts(1,2): error TS2304: Cannot find name x\ninfo Visit https://yarnpkg.com/en/docs/cli/run for documentation about this command.',
  ],
  ['a shell under set -x', '+ echo no space left\nno space left\n+ exit 3', 'no space left'],
  [
    'a shell under set -x, deeper',
    '+++ dirname /x/y\n++ cd /x\ncd: no such directory\n+ exit 1',
    'cd: no such directory',
  ],
  ['traces and nothing else', '+ true\n+ exit 3', ''],
  ['traces, and the reason on stdout', '+ echo gone\n+ exit 3', 'gone', 'gone'],
  [
    'bash',
    'deploy.sh: line 3: rsyncc: command not found',
    'deploy.sh: line 3: rsyncc: command not found',
  ],
  ['time', 'it broke\n\nreal\t0m0.012s\nuser\t0m0.001s\nsys\t0m0.002s', 'it broke'],
  [
    'make',
    'main.c:1:10: fatal error: nope.h: No such file or directory\n    1 | #include <nope.h>\n      |          ^~~~~~~~\ncompilation terminated.\nmake[1]: *** [Makefile:2: main.o] Error 1\nmake: *** [Makefile:7: all] Error 2',
    'main.c:1:10: fatal error: nope.h: No such file or directory',
  ],
  ['make alone', 'make: *** [Makefile:2: all] Error 2', 'make: *** [Makefile:2: all] Error 2'],
  [
    'go run',
    'panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/x/main.go:8 +0x1d\n\ngoroutine 6 [select]:\nmain.work(0x1)\n\t/x/main.go:12 +0x2\ncreated by main.main in goroutine 1\nexit status 2',
    'panic: runtime error: index out of range [5] with length 3',
  ],
  [
    'go test',
    '',
    '--- FAIL: TestShop (0.00s)',
    '=== RUN   TestShop\n--- FAIL: TestShop (0.00s)\n    shop_test.go:7: got 1\nFAIL\nexit status 1\nFAIL\texample.com/shop\t0.003s\nFAIL',
  ],
  [
    'Ansible',
    '',
    'fatal: [web-1]: FAILED! => {"changed": false, "msg": "no space left"}',
    'TASK [copy] ****\nfatal: [web-1]: FAILED! => {"changed": false, "msg": "no space left"}\n\nPLAY RECAP ****\nweb-1                      : ok=1    changed=0    unreachable=0    failed=1    skipped=0',
  ],
  [
    'docker',
    "docker: invalid reference format.\nSee 'docker run --help'.",
    'docker: invalid reference format.',
  ],
  [
    'a new docker',
    "docker: 'docker run' requires at least 1 argument\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nSee 'docker run --help' for more information",
    "docker: 'docker run' requires at least 1 argument",
  ],
  [
    'kubectl',
    "error: the server doesn't have a resource type \"pod1\"\nSee 'kubectl get -h' for help and examples",
    'error: the server doesn\'t have a resource type "pod1"',
  ],
  [
    'curl with its table',
    '  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\ncurl: (7) Failed to connect to x port 80: Connection refused',
    'curl: (7) Failed to connect to x port 80: Connection refused',
  ],
  [
    'Maven',
    '',
    'Failed to execute goal compiler:3.11:compile (default-compile) on project shop: Compilation failure',
    '[INFO] BUILD FAILURE\n[ERROR] Failed to execute goal compiler:3.11:compile (default-compile) on project shop: Compilation failure -> [Help 1]\n[ERROR] \n[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.\n[ERROR] Re-run Maven using the -X switch to enable full debug logging.\n[ERROR] \n[ERROR] For more information about the errors and possible solutions, please read the following articles:\n[ERROR] [Help 1] http://cwiki.apache.org/confluence/display/MAVEN/MojoFailureException',
  ],
  [
    'Gradle',
    "FAILURE: Build failed with an exception.\n\n* What went wrong:\nExecution failed for task ':compileJava'.\n> Could not resolve com.example:nope:1.0.\n\n* Try:\n> Run with --stacktrace option to get the stack trace.\n> Run with --info or --debug option to get more log output.\n> Get more help at https://help.gradle.org.\n\nBUILD FAILED in 1s",
    'Could not resolve com.example:nope:1.0.',
  ],
  [
    'git push',
    "To example.com:shop\n ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs to 'example.com:shop'\nhint: Updates were rejected because the remote contains work that you do not\nhint: have locally.",
    "error: failed to push some refs to 'example.com:shop'",
  ],
  [
    'git clone',
    'git@example.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.',
    'git@example.com: Permission denied (publickey).',
  ],
  [
    'cargo',
    'error[E0425]: cannot find value `x` in this scope\n --> src/main.rs:2:5\n  |\n2 |     x\n  |     ^ not found in this scope\n\nFor more information about this error, try `rustc --explain E0425`.\nerror: could not compile `shop` (bin "shop") due to 1 previous error',
    'error[E0425]: cannot find value `x` in this scope',
  ],
  [
    'a program in Rust that lists causes',
    'Error: failed to read the settings\n\nCaused by:\n    0: could not open shop.toml\n    1: No such file or directory (os error 2)',
    'No such file or directory (os error 2)',
  ],
  [
    'a panic of Rust',
    "thread 'main' panicked at src/main.rs:2:5:\nno settings\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
    'no settings',
  ],
  [
    'Ruby',
    "deploy.rb:2:in `connect': no route to host (RuntimeError)\n\tfrom deploy.rb:5:in `<main>'",
    "deploy.rb:2:in `connect': no route to host (RuntimeError)",
  ],
  [
    'PHP',
    'PHP Fatal error:  Uncaught Exception: no db in /x.php:1\nStack trace:\n#0 /x.php(3): connect()\n#1 {main}\n  thrown in /x.php on line 1',
    'PHP Fatal error:  Uncaught Exception: no db in /x.php:1',
  ],
  [
    '.NET',
    'Unhandled exception. System.InvalidOperationException: no db\n ---> System.Net.Sockets.SocketException (111): Connection refused\n   at Shop.Connect() in /x/Shop.cs:line 7\n   --- End of inner exception stack trace ---\n   at Shop.Main()',
    'System.Net.Sockets.SocketException (111): Connection refused',
  ],
  [
    'apt',
    'E: Unable to locate package nope\nW: Some index files failed to download. They have been ignored.',
    'E: Unable to locate package nope',
  ],
  [
    'dpkg',
    'dpkg: error processing package nginx (--configure):\n installed nginx package post-installation script subprocess returned error exit status 1\nErrors were encountered while processing:\n nginx\nE: Sub-process /usr/bin/dpkg returned an error code (1)',
    'dpkg: error processing package nginx (--configure): installed nginx package post-installation script subprocess returned error exit status 1',
  ],
  [
    'rsync',
    'rsync: [sender] link_stat "/x" failed: No such file or directory (2)\nrsync error: some files could not be transferred (code 23) at main.c(1338) [sender=3.2.7]',
    'rsync: [sender] link_stat "/x" failed: No such file or directory (2)',
  ],
  [
    'psql',
    'psql:a.sql:3: ERROR:  relation "nope" does not exist\nLINE 1: SELECT * FROM nope;\n                      ^\nHINT:  Perhaps you meant "hope".',
    'psql:a.sql:3: ERROR:  relation "nope" does not exist',
  ],
  [
    'pip',
    'ERROR: No matching distribution found for nope\n\n[notice] A new release of pip is available: 24.0 -> 25.0\n[notice] To update, run: pip install --upgrade pip',
    'ERROR: No matching distribution found for nope',
  ],
  [
    'terraform',
    '╷\n│ Error: Unsupported argument\n│ \n│   on main.tf line 3:\n│    3:   foo = 1\n│ \n╵',
    'Error: Unsupported argument',
  ],
  ['an error with last words', 'error: disk full\ncleaning up\nbye', 'error: disk full'],
  [
    'an error that was got over long ago',
    'error: slow mirror\na\nwent on\nto here\nno answer at all',
    'no answer at all',
  ],
  ['a warning before', 'warning: mirror one is slow\nE: checksum mismatch', 'E: checksum mismatch'],
  [
    'a warning behind',
    'E: checksum mismatch\nWARN  temporary files are left',
    'E: checksum mismatch',
  ],
  [
    'lines of a log',
    '2026-11-24T03:04:05Z ERROR no db\n2026-11-24T03:04:06Z INFO shutting down',
    '2026-11-24T03:04:05Z ERROR no db',
  ],
  ['nothing but a warning', 'warning: it is slow', 'warning: it is slow'],
  ['nothing but a hint', "See 'shop --help'", "See 'shop --help'"],
  ['another script', '错误\n连接超时', '连接超时'],
  [
    'a printed key',
    'no such key\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----',
    'no such key',
  ],
  ['stdout, where stderr is empty', '', 'last', 'first\nlast'],
  ['stderr, though stdout goes on', 'broken', 'broken', 'going on'],
  ['nothing', '', ''],
];

describe('the reason of a command that failed', () => {
  it.each(SAID)('is the cause and not the last words of %s', (_tool, stderr, expected, stdout) => {
    expect(reasonOf(stderr, stdout)).toBe(expected);
  });

  it('is found behind a dump of any length', () => {
    const dump = Array.from({ length: 5_000 }, (_, at) => `    at frame${at} (/x/a.js:${at}:1)`);
    expect(reasonOf(`Error: no db\n${dump.join('\n')}\n\nNode.js v24.1.0`)).toBe('Error: no db');
    const routines = 'goroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1\n\n'.repeat(2_000);
    expect(reasonOf(`panic: no db\n\n${routines}exit status 2`)).toBe('panic: no db');
  });

  it('costs little, whatever is printed', () => {
    const units = [
      'a',
      ' ',
      '+ ',
      '│ ',
      'npm ERR! ',
      'at a',
      'run ',
      'x:1',
      '=',
      '\u001b[',
      '\u001b]8',
      'a.',
      'log ',
    ];
    for (const unit of units) {
      const line = unit.repeat(65_536 / unit.length);
      const begin = cpuMs();
      reasonOf(`${line}\n${line}x`);
      expect(cpuMs() - begin).toBeLessThan(500);
    }
  });
});

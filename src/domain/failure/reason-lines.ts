/**
 * What a line of a failed command's output is worth as its reason. What tools print behind their
 * cause is known by how it begins: hints, frames of stacks, traces of a shell, paths of logs. A
 * pattern has no two repeats that meet, for lines are long.
 */

/**
 * cause: says what went wrong. repeat: says that something did, to be used where nothing else is
 * there. hint: the same, for advice and notes. nothing: never a reason.
 */
export type LineWorth = 'cause' | 'repeat' | 'hint' | 'nothing';

/** What stands before a message without being part of it. */
const LEAD =
  /^(?:[│|╷╵╰├└─>•●✖×»]+>?(?:\s|$)+|\[ERROR\]\s*|npm (?:ERR!|error)(?:\s+(?:enoent\b)?|$)\s*|\s*---> )+/;
/** The part of a message in which a tool adds advice. */
const TRAIL =
  /\s+(?:-> \[Help \d+\]|See "(?:systemctl|journalctl) [^"]{1,200}"(?: and "[^"]{1,200}")? for details\.)$/;

const NOTHING = [
  // Traces of a shell, and what `time` says.
  /^\++(?:[\w./-]{0,80}:\d+> | )\S/,
  /^(?:real|user|sys)\s+\d+m?[\d.]+s?$/,
  // Frames of stacks.
  /^\s*at (?:[\w$.<>/[\]]+[ (]|\S+:\d+)/,
  /^\s+(?:from|at) \S/,
  /^\s*\.\.\. \d+ (?:more|common frames omitted)/,
  /^\s*File ".{1,500}", line \d+/,
  /^\s*#\d+ /,
  /^\s*\d+: (?:0x|[\w<]+::)/,
  /^\s+thrown in /,
  /^\s*--- End of /,
  /^\s*Suppressed: /,
  /^(?:Require stack|Stack trace|stack backtrace|Traceback \(most recent call last\)|Call Stack).{0,40}:?$/i,
  /^(?:The above exception was the direct cause|During handling of the above exception)/,
  /^\[signal \w/,
  /^(?:r\w{1,2}|[cefg]s|eflags|rflags)\s+0x[\da-f]+$/,
  // Places in a source.
  /^(?:\S+\/)?\S+\.(?:[cm]?[jt]sx?):\d+$/,
  /^(?:node:\S+|\[eval\]|\[stdin\]|file:\S+):\d+$/,
  /^\s*--> \S+:\d+/,
  /^LINE \d+: /,
  // What went well.
  /^nginx: (?:the )?configuration file \S{1,500} (?:syntax is ok|test is successful)$/,
  // Versions and banners.
  /^(?:Node\.js|Bun|Deno) v?\d/,
  /^(?:PLAY RECAP|NO MORE HOSTS LEFT|TASK \[|PLAY \[)/,
  /^\S+\s*: ok=\d+\s+changed=\d+/,
  /^\s*% Total\s+% Received/,
  /^\s*Dload\s+Upload\b/,
  /^(?:FAIL|PASS|ok)(?:\t|$)/,
  /^={3,}.*={3,}$/,
  /^-{5}(?:BEGIN|END) /,
  /^[A-Za-z0-9+/]{40,}={0,2}$/,
  // A line that only says where the log is.
  /^\S*\/\S+\.(?:log|txt|out)[.:]?$/,
];

const HINTS = [
  /^\(?(?:see|try|hint|hints|note|tip|help|usage|detail|context|statement|visit|learn more|for (?:more|further|help|details|additional|a list)|more (?:info|help|details)|to (?:see|get|update|retry|fix|resolve|view|debug|address) )\b/i,
  /^\(?(?:run|use|type|re-?run|execute)\b.{0,200}(?:['"`]|--?\w|switch|\bfor\b|\bto\b)/i,
  /^\(?(?:please|you can|you may|you should|if you|if this|consider|check|make sure|did you mean|perhaps|after correcting|report|read)(?=[\s,:])/i,
  /^(?:an? )?(?:complete|full|detailed|debug|more)?\s?(?:logs?|output|report|details?|trace)(?: of this run)?(?: (?:file|can|is|are|was|has|written|saved|in|at|to))+\b/i,
  /^(?:\[notice\]|\[help \d|info visit|get more help|mvn <args>|tarball, folder, http)/i,
  /^\* (?:try|get more help|exception is)/i,
  /^The Apache error log may have more information/,
  /^(?:this is (?:related to npm|probably not)|there is likely|and the repository exists|releasing state lock|ran all test suites|this error originates)/i,
  /^(?:in workspace|at location): /,
  /^\.\.\.ignoring$/,
];

const REPEATS = [
  /^(?:\S*make|ninja)(?:\[\d+\])?: (?:\*\*\*|Leaving|Entering|build stopped)/,
  /^(?:\(node:\d+\) |npm |pip )?\[?(?:warn(?:ing)?|deprecat\w+|info|debug|notice|trace|verbose|http|timing)\]?(?:[:\s]|$)/i,
  /^\S+(?: \S+){0,3} (?:warning|INFO|DEBUG|NOTICE|WARN)[:\s]/,
  /^\[?\d{4}-\d\d-\d\d[T ][\d:.,]{5,16}(?:Z|[+-][\d:]+)?\]?\s+\[?(?:INFO|DEBUG|TRACE|WARN|WARNING|NOTICE)\b/,
  /^W: /,
  /^(?:exit status|exit code|exited with code|code) ?:? ?(?:\d+|ELIFECYCLE)\.?$/i,
  /^(?:errno|syscall|path|dest|spawnargs|cwd|signal)\s+\S+$/,
  /^\d{3}$|^enoent$/i,
  /^(?:error )?(?:ELIFECYCLE\s+)?Command (?:failed|exited) with\b/i,
  /^(?:Error: )?Process completed with exit code/,
  /^Failed at the .{1,200} script/,
  /^\S+@\S+ [\w:-]+: `/,
  /^Lifecycle script /,
  /^Exit status \d+$/,
  /^(?:compilation terminated\.|BEGIN failed--|error: (?:could not compile|aborting due to)|collect2: error)/,
  /^(?:BUILD FAILED|FAILURE: Build failed|FAILED$|Build failed|Aborting|failed$|error$)/i,
  // The verdicts of web servers on their configuration: what is wrong in it stands before.
  /^nginx: configuration file \S{1,500} test failed/,
  /^(?:nginx:|\d{4}\/\d\d\/\d\d [\d:]{8}) \[(?:warn|notice|info|debug|emerg\] (?:\d+#\d+: )?still could not bind\(\)$)/,
  /^\[ALERT\]\s{0,20}\(\d+\) : config : (?:Error\(s\) found in configuration file|Fatal errors found)/,
  /^Action '.{1,100}' failed\.$/,
  /^E: Sub-process /,
  /^Errors were encountered while processing/,
  /^rsync (?:error: |: connection unexpectedly closed)/,
  /^(?:fatal: Could not read from remote repository|lost connection|Connection to \S+ closed)/,
  /^Error: (?:Could not create the Java Virtual Machine|A fatal exception has occurred)/,
  /^(?:Tests|Test Suites|Snapshots|Time):\s/,
  /^[}\])]+[;,]?$/,
];

/** Two letters side by side, of any script: without them it is a bar, a table, a caret. */
const WORDS = /\p{L}[\p{L}\p{M}]|[\p{Script=Han}\p{Script=Hangul}]/u;

/** The message of a line: without its lead and the advice at its end. */
export function messageOfLine(line: string): string {
  return line.replace(LEAD, '').replace(TRAIL, '').trim();
}

/** `line`: as it is seen. */
export function worthOf(line: string): LineWorth {
  const message = messageOfLine(line);
  if (!WORDS.test(message)) return 'nothing';
  const isAny = (patterns: readonly RegExp[]) =>
    patterns.some((pattern) => pattern.test(line) || pattern.test(message));
  if (isAny(NOTHING)) return 'nothing';
  if (isAny(HINTS)) return 'hint';
  return isAny(REPEATS) ? 'repeat' : 'cause';
}

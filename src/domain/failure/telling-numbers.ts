/**
 * Which numbers of a failure say what went wrong: the status of an answer, the exit code, the
 * errno. They stay, for 404 and 503 are two causes; any other number (a count, a duration, a port,
 * an id) is made anew each time.
 */

/** Words that a code stands behind, and nothing else does. */
const STRONG = alternatives(
  '(?:status|exit|error|err|return|response|http|result)?[-_ ]?code',
  '(?:http|exit)?[-_ ]?status',
  'exit(?:ed|s)?',
  'signal',
  'errno',
  'os error',
  'winerror',
  'rc',
  'ret(?:val)?',
  'https?(?:/\\d(?:\\.\\d)?)?(?: (?:response|error))?',
  '(?:terminated|killed|died|exited|ended|ends) (?:with|by)',
  'curl:',
);
/** Words that a code stands behind, or else a count or a place: what follows decides. */
const WEAK = alternatives(
  'return(?:s|ed)?(?: error)?',
  'error',
  'result',
  'fail(?:ed|ure)?(?: with)?',
);
/** Words that a status of HTTP stands behind, or anything: its first digit decides as well. */
const ANSWER = alternatives(
  '(?:got|received|gave|said|response|responded|responds|replied|answered|answer)(?: with)?',
  '(?:rejected|refused|aborted|gave up) with',
  '(?:expected|but (?:was|is)|fehler|返回|返回码|状态码)',
  '(?:upstream|backend|origin|server|proxy|gateway|registry|daemon|nginx|haproxy)',
  '->|=>|→',
  '(?:GET|HEAD|POST|PUT|PATCH|DELETE|https?:/) ?\\S{1,200}',
  '\\w{0,40}(?:Error|Exception|Status)',
  '(?:health|live(?:ness)?|read(?:y|iness)|startup|smoke)[- ]?(?:check|probe|test|z)?(?: failed)?',
);
const BETWEEN = `(?: (?:was|is|of|with|by|an?))?["'\\])]{0,2}[ :=]{1,3}["'(\\[#-]{0,2}`;
const behind = (words: string) => new RegExp(`(?<![a-z])${words}${BETWEEN}$`, 'i');
const BEHIND_STRONG = behind(STRONG);
const BEHIND_WEAK = behind(WEAK);
const BEHIND_ANSWER = behind(ANSWER);
/** Not "22 rows" and not "3 of 7": the end of what is said, or a name or an explanation. */
const ENDS = /^(?:$|[)\].,;:"']|\s+(?:[(A-Z[]|-|(?:for|from|on|at|when|while|but|by|to)\b))/;
const COUNTED = /^["')\]]?\s*(?:of \d|\/\s?\d|%)/;
/** What a status of HTTP is called; "404 page not found" is Go's. */
const PHRASE =
  /^ {1,3}(?:bad request|unauthori[sz]ed|forbidden|(?:page )?not found|method not|not acceptable|proxy auth|request |conflict|gone|precondition|payload|uri too|unsupported|unprocessable|locked|too many|internal|not implemented|bad gateway|service |gateway |client error|server error)/i;
const STATUS = /^[1-5]\d\d$/;
const REFUSAL = /^[45]\d\d$/;
/** Names that end in digits: `sha256`, `x86`, `utf-8`, `v1`. */
const NAME =
  /(?<![a-z])(?:(?:sha|utf|aes|rsa|iso|windows)-?|md|ipv|http|x|x86_|amd|arm|base|u?int|float|python|oauth|log|ec|tls|ssl|win|ext|ed|ecdsa|php|java|jdk)$/i;
const VERSION = /(?<![a-z])v$/i;
/** `ORA-00942` */
const CODE_NAME = /(?<![A-Za-z0-9-])[A-Z]{2,6}-$/;
/** A port that somebody listens on is in the settings; one that somebody connects from is not. */
const LISTENS = /\b(?:listen|bind|EADDRINUSE|address (?:is )?(?:already )?in use)\b/i;
const PORT = /^\d{2,5}$/;
/** Codes of Windows and COM. */
const HEX_CODE = /^0x(?:8007|8009|800f|8013|8024|c000)[\da-f]{4}$/i;

/** UTF-16 units before a number that say what it is. */
const BEFORE = 240;

/** Whether the number at `at` of `text` (digits, perhaps with separators) says what went wrong. */
export function numberTells(text: string, at: number, number: string): boolean {
  const before = text.slice(Math.max(0, at - BEFORE), at);
  const after = text.slice(at + number.length, at + number.length + 24);
  if (!/^\d+$/.test(number)) return /\bHTTP\/$/i.test(before);
  if (NAME.test(before)) return number.length <= 5;
  if (VERSION.test(before)) return number.length <= 2;
  if (CODE_NAME.test(before)) return number.length >= 3 && number.length <= 6;
  if (/[:,] ?$/.test(before) && PORT.test(number) && listens(text)) return !/^:\d/.test(after);
  // A code has up to five digits, those of Windows are above 2^31.
  if ((number.length > 5 && number.length !== 10) || COUNTED.test(after)) return false;
  if (BEHIND_STRONG.test(before)) return true;
  if (REFUSAL.test(number) && (PHRASE.test(after) || isInBrackets(before, after))) return true;
  if (!ENDS.test(after)) return false;
  return BEHIND_WEAK.test(before) || (STATUS.test(number) && BEHIND_ANSWER.test(before));
}

/** Whether a hexadecimal number is a code, not an address in memory. */
export function hexTells(text: string, at: number, number: string): boolean {
  if (HEX_CODE.test(number)) return true;
  return /^0x/i.test(number) && BEHIND_STRONG.test(text.slice(Math.max(0, at - BEFORE), at));
}

/** Whether the text is about a port that could not be had. */
export function listens(text: string): boolean {
  return LISTENS.test(text);
}

function isInBrackets(before: string, after: string): boolean {
  return /[([]$/.test(before) && /^[)\]]/.test(after);
}

function alternatives(...words: string[]): string {
  return `(?:${words.join('|')})`;
}

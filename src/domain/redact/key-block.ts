/**
 * Private keys, which are secrets of many lines: PEM of every kind (PKCS, EC, OpenSSH, encrypted),
 * the blocks of PGP, OpenVPN and PuTTY. A key may stand in one text, its line ends real, escaped or
 * lost, or come line by line; `KeyBlock` is what has to be remembered from one line to the next.
 *
 * From BEGIN on, what looks like the body is hidden, up to END. A line that does not look so is not,
 * so one that only speaks of a BEGIN hides nothing of what follows it.
 */
export interface KeyBlock {
  /** public: a certificate, whose lines look the same and are nobody's secret. */
  kind: 'secret' | 'public';
  /** What stood before BEGIN on its line: a time, the name of a container, an indent. */
  prefix: string;
  /** A line of the body was seen. */
  begun: boolean;
  /** The last line was one of the body, and as wide as any: whatever comes may belong to it. */
  open: boolean;
  widest: number;
  /** Lines since BEGIN that did not belong to it. */
  strangers: number;
  /** The end of a text that broke off within its BEGIN. */
  cut: string;
}

export interface MaskedKeys {
  text: string;
  /** For the next line of the same stream; null: none is open. */
  block: KeyBlock | null;
}

/** Lines in between that do not end a block: of another writer into the same stream. */
const STRANGERS_MAX = 16;
/** UTF-16 units of what stood before BEGIN. */
const PREFIX_MAX = 256;

const NAME = '[A-Z0-9][A-Za-z0-9 ]{0,58}';
const MARK = new RegExp(`-{4,5} ?BEGIN (${NAME}?) ?-{4,5}|Private-Lines: \\d{1,4}(?!\\w)`, 'g');
const END = /-{4,5} ?END [A-Z0-9][A-Za-z0-9 ]{0,58}(?:-{1,5}|$)/g;
const SECRET = /PRIVATE KEY|OpenVPN Static key/;
const CUT = /-{5}BEGIN [A-Z0-9 ]{0,40}-{0,4}$/;
/** Line ends as they are, and as JSON and shells write them. */
const LINE_END = /(\r?\n|(?:\\{1,4}r)?\\{1,4}n)/;

const BODY = /^=?[A-Za-z0-9+/]+={0,3}$/;
const HEADER = /^(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID|Key-?\w{0,20}): /;
const WORD = /^(?:[A-Z]?[a-z]{1,23}|[A-Z]{1,23}|\d{1,23})$/;
/** Around a line of the body, in lists and quoted texts. */
const WRAPS = /[\s"'`,>|\\]/;

export const REDACTED_KEY = '[redacted]';

/** Whether a text can open a block. */
export function mayBeginKey(text: string): boolean {
  return text.includes('BEGIN') || text.includes('Private-Lines');
}

/** `text`: without escape codes. `before`: what the lines before it left open. */
export function maskKeys(text: string, before: KeyBlock | null): MaskedKeys {
  let block = before;
  let rest = text;
  if (block !== null && block.cut !== '') {
    const joined = block.cut + text;
    MARK.lastIndex = 0;
    const mark = MARK.exec(joined);
    block = null;
    if (mark?.index === 0 && SECRET.test(mark[0])) {
      block = opened('');
      rest = joined.slice(mark[0].length);
    }
  }
  const pieces = rest.split(LINE_END);
  const out: string[] = rest === text ? [] : [REDACTED_KEY];
  for (let at = 0; at < pieces.length; at += 2) {
    const masked = maskPiece(pieces[at] ?? '', block);
    block = masked.block;
    const last = out.at(-1);
    const lineEnd = at === 0 ? undefined : pieces[at - 1];
    // Lines of one key become one mark.
    if (masked.text.startsWith(REDACTED_KEY) && last?.endsWith(REDACTED_KEY)) {
      out[out.length - 1] = last + masked.text.slice(REDACTED_KEY.length);
    } else {
      if (lineEnd !== undefined) out.push(lineEnd);
      out.push(masked.text);
    }
  }
  const cut = CUT.exec(rest.slice(-64));
  if (block === null && cut !== null) block = { ...opened(''), cut: cut[0] };
  return { text: out.join(''), block };
}

function unwrapped(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && WRAPS.test(text[from] ?? '')) from++;
  while (to > from && WRAPS.test(text[to - 1] ?? '')) to--;
  return text.slice(from, to);
}

function opened(prefix: string): KeyBlock {
  return {
    kind: 'secret',
    prefix: prefix.slice(0, PREFIX_MAX),
    begun: false,
    open: false,
    widest: 0,
    strangers: 0,
    cut: '',
  };
}

function maskPiece(piece: string, before: KeyBlock | null): MaskedKeys {
  let block = before;
  let out = '';
  let rest = piece;
  if (block !== null) {
    END.lastIndex = 0;
    const end = END.exec(piece);
    if (end === null) {
      const inside = block.kind === 'public' ? passPublic(piece, block) : maskLine(piece, block);
      if (inside.block !== null || !mayBeginKey(piece)) return inside;
      rest = inside.text;
    } else {
      const head = piece.slice(0, end.index);
      const hidden = block.kind === 'secret' ? `${keptHead(head)}${REDACTED_KEY}` : head + end[0];
      out = hidden;
      rest = piece.slice(end.index + end[0].length);
    }
    block = null;
  }
  if (block === null && out === '' && !mayBeginKey(rest)) {
    return { text: maskLoneLines(rest), block };
  }
  const lastEnd = endsBefore(rest);
  MARK.lastIndex = 0;
  for (let mark = MARK.exec(rest); mark !== null; mark = MARK.exec(rest)) {
    const from = mark.index + mark[0].length;
    if (mark[1] !== undefined && !SECRET.test(mark[1])) {
      END.lastIndex = from;
      const isWhole = rest.length - from >= lastEnd && END.test(rest);
      if (!isWhole) block = { ...opened(rest.slice(0, mark.index)), kind: 'public' };
      continue;
    }
    out += rest.slice(0, mark.index) + REDACTED_KEY;
    const hasEnd = rest.length - from >= lastEnd;
    const next = afterMark(rest.slice(from), rest.slice(0, mark.index), hasEnd);
    block = next.block;
    rest = next.text;
    MARK.lastIndex = 0;
  }
  return { text: out + rest, block };
}

/** How far before the end of the text its last END stands; one more than its length without any. */
function endsBefore(text: string): number {
  let last = -1;
  // A search that was left half-way would go on from there.
  END.lastIndex = 0;
  if (text.includes('END ')) for (const { index } of text.matchAll(END)) last = index;
  return text.length - last;
}

/** What follows BEGIN in its own line: nothing, a key whose line ends were lost, or prose. */
function afterMark(rest: string, prefix: string, hasEnd: boolean): MaskedKeys {
  END.lastIndex = 0;
  const end = hasEnd ? END.exec(rest) : null;
  if (end !== null) return { text: rest.slice(end.index + end[0].length), block: null };
  if (unwrapped(rest) === '') return { text: rest, block: opened(prefix) };
  const lost = /^[\s\\]{1,8}(?:[A-Za-z0-9+/=]+\s{0,4})*/.exec(rest)?.[0] ?? '';
  const first = lost.trim().split(/\s/, 1)[0] ?? '';
  if (!isConvincing(first)) return { text: rest, block: null };
  const block = { ...opened(prefix), begun: true, open: true };
  return { text: rest.slice(lost.trimEnd().length), block };
}

function maskLine(line: string, block: KeyBlock): MaskedKeys {
  const own = unwrapped(line);
  if (own === '' || HEADER.test(own)) return { text: line, block };
  const behind = sameShape(line, block.prefix) ? line.slice(block.prefix.length) : null;
  for (const candidate of behind === null ? [own] : [unwrapped(behind), own]) {
    if (isBody(candidate, block)) return hidden(line, candidate, block);
  }
  const last = /[^\s"'`,\\]+(?=["'`,\\]*$)/.exec(line.trimEnd())?.[0] ?? '';
  if (last.length >= 40 && isConvincing(last)) return hidden(line, last, block);
  const strangers = block.strangers + 1;
  const over = strangers > STRANGERS_MAX || (/^-/.test(own) && block.begun);
  return { text: line, block: over ? null : { ...block, strangers, open: false } };
}

function hidden(line: string, body: string, block: KeyBlock): MaskedKeys {
  const at = line.lastIndexOf(body);
  const widest = Math.max(block.widest, body.length);
  return {
    text: line.slice(0, at).trimStart() + REDACTED_KEY + line.slice(at + body.length).trimEnd(),
    block: { ...block, begun: true, widest, open: body.length === widest },
  };
}

function isBody(text: string, block: KeyBlock): boolean {
  if (!BODY.test(text)) return false;
  if (block.open) return true;
  if (block.begun) return !WORD.test(text);
  // After a line that is BEGIN alone, a short first line counts too.
  return isConvincing(text) || (block.prefix.trim() === '' && text.length >= 8 && isMixed(text));
}

/** A line that no word and no name can be. */
function isConvincing(text: string): boolean {
  return BODY.test(text) && (/^MI[A-Z]/.test(text) || (text.length >= 24 && isMixed(text)));
}

function isMixed(text: string): boolean {
  return Number(/[a-z]/.test(text)) + Number(/[A-Z]/.test(text)) + Number(/\d/.test(text)) >= 2;
}

/** What stands before a line is the same but for its digits: times go on. */
function sameShape(line: string, prefix: string): boolean {
  if (prefix === '' || line.length <= prefix.length) return false;
  const shape = (text: string) => text.replace(/\d/g, '0');
  return shape(line.slice(0, prefix.length)) === shape(prefix);
}

/** Before END: its prefix stays, a last piece of the body does not. */
function keptHead(head: string): string {
  const own = unwrapped(head);
  return BODY.test(own) && !WORD.test(own) ? '' : head.trimStart();
}

function passPublic(line: string, block: KeyBlock): MaskedKeys {
  const isLike = sameShape(line, block.prefix);
  const own = unwrapped(isLike ? line.slice(block.prefix.length) : line);
  return { text: line, block: own === '' || BODY.test(own) || HEADER.test(own) ? block : null };
}

/** In a text of its own a line of base64 as keys are written: 64 to 76 characters. */
const LONE_LINE = /(^|\n)[ \t]*[A-Za-z0-9+/]{62,76}={0,2}[ \t\r]*(?=\n|$)/g;
/**
 * How often a line changes between small letters, capitals, digits and signs, plus how many different
 * characters it has: about 80 in 64 random ones, and less than this in one of a million. Words and
 * paths of that length have about 50, and mostly no digit.
 */
const VARIETY_MIN = 55;
const VARIETY_MIN_WITHOUT_DIGIT = 62;

/** Hides lines that must be of a key, for the BEGIN was told to another server. */
export function maskLoneLines(text: string): string {
  if (text.length < 64) return text;
  LONE_LINE.lastIndex = 0;
  if (!LONE_LINE.test(text)) return text;
  return text.replace(LONE_LINE, (line, before: string) => {
    const own = line.trim();
    return own.length >= 64 && own.length <= 76 && isRandom(own) ? before + REDACTED_KEY : line;
  });
}

function isRandom(text: string): boolean {
  if (!/[a-z]/.test(text) || !/[A-Z]/.test(text)) return false;
  let changes = 0;
  for (let at = 1; at < text.length; at++) {
    if (kindOf(text.charCodeAt(at)) !== kindOf(text.charCodeAt(at - 1))) changes++;
  }
  const variety = changes + new Set(text).size;
  return variety >= (/\d/.test(text) ? VARIETY_MIN : VARIETY_MIN_WITHOUT_DIGIT);
}

function kindOf(code: number): number {
  if (code >= 0x61) return 0;
  if (code >= 0x41) return 1;
  return code >= 0x30 ? 2 : 3;
}

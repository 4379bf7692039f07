/**
 * A syslog message as a foreign document: RFC 5424, RFC 3164 with or without its host (Docker
 * writes none), and whatever else stands behind a priority. None is refused: what cannot be told
 * apart is the message.
 */
import { containerTag } from '../container-tag.ts';
import type { ForeignDocument, Said } from '../foreign-document.ts';

type Fields = Record<string, unknown>;

const PRIORITY = /^<(\d{1,3})>/;
const MAX_PRIORITY = 191;

export function syslogDocument(text: string, receivedAt: number): ForeignDocument {
  const fields: Fields = {};
  const said: Said = {};
  let rest = text;
  const priority = PRIORITY.exec(text);
  const number = Number(priority?.[1] ?? Number.NaN);
  if (priority !== null && number <= MAX_PRIORITY) {
    fields['log.syslog.severity.code'] = number % 8;
    fields['log.syslog.facility.code'] = Math.floor(number / 8);
    rest = text.slice(priority[0].length);
    rest = readRfc5424(rest, fields) ?? readRfc3164(rest, fields);
  }
  said.message = rest;
  addContainer(fields, said);
  return { kind: 'syslog', index: null, identity: null, fields, said, receivedAt };
}

/** Docker's drivers write a container's tag for the program. */
function addContainer(fields: Fields, said: Said): void {
  const { appname, msgid } = fields;
  if (typeof appname !== 'string') return;
  if (msgid === appname) delete fields.msgid;
  const container = containerTag(appname);
  if (container === null) return;
  delete fields.appname;
  said.writer = { kind: 'container', name: container.name };
  said.labels = { container: container.name };
  if (container.id !== null) said.labels.container_id = container.id;
}

const HEADER = /^1 (\S+) (\S+) (\S+) (\S+) (\S+)(?: |$)/;
const BYTE_ORDER_MARK = '\ufeff';

/** The message behind the header; null: it is another format. */
function readRfc5424(text: string, fields: Fields): string | null {
  const header = HEADER.exec(text);
  if (header === null) return null;
  const names = ['timestamp', 'hostname', 'appname', 'procid', 'msgid'];
  for (const [at, name] of names.entries()) {
    const value = header[at + 1];
    if (value !== '-') fields[name] = value;
  }
  const rest = readStructuredData(text.slice(header[0].length), fields);
  return rest.startsWith(BYTE_ORDER_MARK) ? rest.slice(1) : rest;
}

const ELEMENT = /\[([^\s=\]"]{1,128})((?: [^\s=\]"]{1,128}="(?:[^"\\]|\\.)*")*) *\]/sy;
const PARAMETER = / ([^\s=\]"]{1,128})="((?:[^"\\]|\\.)*)"/gs;

/** `[id name="value"]…` or `-`; what is neither belongs to the message. */
function readStructuredData(text: string, fields: Fields): string {
  if (text === '-') return '';
  if (text.startsWith('- ')) return text.slice(2);
  const data: Fields = {};
  let at = 0;
  for (;;) {
    ELEMENT.lastIndex = at;
    const element = ELEMENT.exec(text);
    if (element === null) break;
    at = ELEMENT.lastIndex;
    const parameters: Fields = {};
    for (const [, name = '', value = ''] of (element[2] ?? '').matchAll(PARAMETER)) {
      if (name !== '__proto__') parameters[name] = value.replace(/\\(["\\\]])/g, '$1');
    }
    if (element[1] !== '__proto__') data[element[1] as string] = parameters;
  }
  if (at > 0) fields.structured_data = data;
  return text[at] === ' ' ? text.slice(at + 1) : text.slice(at);
}

/** Also with a time of RFC 3339, as rsyslog forwards it. */
const TIME =
  /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:?\d\d)?) /;
const TAG = /^([^\s:[\]]{1,128})(?:\[([^\]\s]{1,64})\])?:(?: |$)/;
const HOST = /^([^\s[\]]{1,255}) +/;

/** The message behind what header there is. */
function readRfc3164(text: string, fields: Fields): string {
  const time = TIME.exec(text);
  if (time === null) return text;
  fields.timestamp = time[1];
  const rest = text.slice(time[0].length);
  const alone = readTag(rest, fields);
  if (alone !== null) return alone;
  const host = HOST.exec(rest);
  if (host === null) return rest;
  fields.hostname = host[1];
  const message = rest.slice(host[0].length);
  return readTag(message, fields) ?? message;
}

function readTag(text: string, fields: Fields): string | null {
  const tag = TAG.exec(text);
  if (tag === null) return null;
  fields.appname = tag[1];
  if (tag[2] !== undefined) fields.procid = tag[2];
  return text.slice(tag[0].length);
}

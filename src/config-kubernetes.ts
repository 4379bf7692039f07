/**
 * What Kubernetes writes into the environment of every pod for every Service of its namespace. A
 * Service whose name begins with "shiplog" has variables that look like settings of ours; they are
 * told apart by the form of name and value, so that a misspelt setting is still found.
 */
import { isIP } from 'node:net';

const PORT = /^\d{1,5}$/;
const ADDRESS = /^(?:tcp|udp|sctp):\/\/(\[?[0-9a-f.:]+\]?):\d{1,5}$/i;

const FORMS: readonly [name: RegExp, hasValue: (value: string) => boolean][] = [
  [/_SERVICE_HOST$/, (value) => isIP(value) !== 0],
  [/_SERVICE_PORT(?:_[A-Z0-9_]+)?$/, (value) => PORT.test(value)],
  [/_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/, isAddress],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PROTO$/, (value) => /^(?:tcp|udp|sctp)$/i.test(value)],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PORT$/, (value) => PORT.test(value)],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_ADDR$/, (value) => isIP(value) !== 0],
];

export function isFromKubernetes(name: string, value: string): boolean {
  return FORMS.some(([form, hasValue]) => form.test(name) && hasValue(value));
}

function isAddress(value: string): boolean {
  const host = ADDRESS.exec(value)?.[1];
  return host !== undefined && isIP(host.replace(/^\[|\]$/g, '')) !== 0;
}

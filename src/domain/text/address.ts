/** Addresses in messages: without what somebody wrote into them to get in. */

/** Everything between the scheme and the last `@` of a word. */
const USER_INFO = /:\/\/[^\s"'`<>]*@/g;
/** In a value that should be an address: also without a scheme, or with its host forgotten. */
const BEFORE_AT = /[^\s,"'`<>]*@/g;
const NO_PORT = /(:\/\/[^\s,/:]*):(?!\d{1,5}(?:[\s,/?#"']|$))[^\s,/]+/g;

/** A message in which addresses may be quoted. */
export function withoutCredentials(text: string): string {
  return text.includes('@') ? text.replace(USER_INFO, '://…@') : text;
}

/** A value that was given for an address, or in the place of one. */
export function valueWithoutCredentials(value: string): string {
  return withoutCredentials(value)
    .replace(BEFORE_AT, (part) => (part.endsWith('://…@') ? part : '…@'))
    .replace(NO_PORT, '$1:…');
}

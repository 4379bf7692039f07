/** How the text of an option becomes a value. Every message completes "NAME: "text" …". */
import { z } from 'zod';

export function whole(least: number, most: number): z.ZodType<number> {
  const message = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(least, message).max(most, message));
}

export function optionalWhole(least: number, most: number): z.ZodType<number | null> {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.union([z.literal('').transform(() => null), whole(least, most)], { error });
}

export function oneOf<const T extends [string, ...string[]]>(...names: T): z.ZodType<T[number]> {
  return z.enum(names, { error: `must be one of ${names.join(', ')}` });
}

const TRUE = ['on', 'true', '1', 'yes'];
const FALSE = ['off', 'false', '0', 'no'];

export const onOff: z.ZodType<boolean> = z
  .string()
  .refine((text) => [...TRUE, ...FALSE].includes(text), 'must be on or off')
  .transform((text) => TRUE.includes(text));

export const text: z.ZodType<string> = z.string().min(1, 'must not be empty');

export const optionalText: z.ZodType<string | null> = z
  .string()
  .transform((text) => (text === '' ? null : text));

/** Separated by commas; empty parts do not count. */
export function list<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item as z.ZodType<T, string>));
}

function parseUrl(text: string): URL | null {
  const parsed = URL.parse(text);
  return parsed !== null && /^https?:$/.test(parsed.protocol) ? parsed : null;
}

export const url: z.ZodType<string, string> = z
  .string()
  .refine((text) => parseUrl(text) !== null, 'must be an http or https address')
  .refine((text) => {
    const url = parseUrl(text);
    return url === null || (url.username === '' && url.password === '');
  }, 'must not carry a user name or a password: use the options for them');

/**
 * Scheme, host and port, as a browser or another program sends it in `Origin`, and however it is
 * written: `HTTPS://Deploy.Example.com:443/` is `https://deploy.example.com`. Extensions and
 * desktop programs have schemes of their own. Never `null`, which anybody's page can be.
 */
export const origin: z.ZodType<string, string> = z
  .string()
  .refine(
    (text) => originOf(text) !== null,
    'must be an origin such as https://deploy.example.com, without a path',
  )
  .transform((text) => originOf(text) as string);

function originOf(text: string): string | null {
  const parsed = URL.parse(text);
  if (parsed === null || parsed.host === '') return null;
  const bare = parsed.pathname === '/' || parsed.pathname === '';
  const more = parsed.search + parsed.hash + parsed.username + parsed.password;
  if (!bare || more !== '' || text.includes('*')) return null;
  return parsed.origin === 'null' ? `${parsed.protocol}//${parsed.host}` : parsed.origin;
}

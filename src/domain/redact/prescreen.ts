/**
 * Whether anything that redaction looks for can be in a text. Nearly every line holds nothing, and
 * one pass over its characters says so, in place of all the patterns.
 *
 * Each four neighbours are looked up in a table of those that a secret, or what stands around one,
 * must have somewhere. Characters are taken by kind: letters without case, digits as one, and a few
 * kinds of everything else. So it says yes too often, and never no where a pattern finds something.
 */
import { PROGRAM_NAMES } from './command-secrets.ts';

const SPACE = 0;
const DIGIT = 27;
const DASH = 28;
const UNDERSCORE = 29;
const POINT = 30;
const OTHER = 31;
const KINDS = 32;
const FOUR = KINDS ** 4 - 1;

/** The kind of each ASCII character; all others count as a space. */
const KIND = Uint8Array.from({ length: 128 }, (_, code) => kindOf(String.fromCharCode(code)));

function kindOf(char: string): number {
  if (/[a-z]/i.test(char)) return char.toLowerCase().charCodeAt(0) - 96;
  if (/\d/.test(char)) return DIGIT;
  if (/[\s"'`\\]/.test(char)) return SPACE;
  if (char === '.') return POINT;
  if (char === '-') return DASH;
  return char === '_' ? UNDERSCORE : OTHER;
}

/** In a literal: `?` any character, `<` what can stand before a word, `>` what can end one. */
const WILD = new Map([
  ['?', Array.from({ length: KINDS }, (_, kind) => kind)],
  ['<', [SPACE, POINT, OTHER]],
  ['>', [SPACE, POINT]],
]);

/** Four characters each, as rare in common text as can be. */
const LITERALS = [
  // Names of secrets (`secret-names.ts`), and what is said before one (`redact-text.ts`).
  'pass ??pw ?psw secr toke utho cred figj ?key cook erau echo intf iden',
  // Private keys (`key-block.ts`), where they are not called so.
  'te-l',
  // Tokens and addresses (`secret-shapes.ts`).
  'akia asia aiza ya29 gocs oo_v op_v or_v ghp_ gho_ ghu_ ghs_ ghr_ hub_ glpa gldt glrt glcb glpt',
  'glft glso glag glim npm_ pypi ruby ckr_ atat k_li k_te whse <sg. xox? xapp 0:aa <sk- <hf_ gsk_',
  'hvs. hvb. hvr. atla glsa skey dapi <shp <eyj ls0t bear',
  'hook legr iftt rdut hc-p sig= ure= ial=',
  // Programs that take secrets (`command-secrets.ts`); those without one here are known by their end.
  'mysq riad mydu mylo raba mycl -cli dock podm dctl ldah skop cran <ora regc curl etcd lftp smbc',
  'rpcc smbg ongo ldap kadm sqlp xpdp mpdp sqll <rma sqlc osql isql mosq ipmi twin flux rabb psex',
  'rdes rtut radd rmod ssh- gnto nuge dotn nssl htpa wpa_ vaul bect yarn pnpm gclo poet nmcl bund',
];

export type Prescreen = (text: string) => boolean;

/** `names`: more names of secrets, as they are given to `secretNames`. */
export function createPrescreen(names: readonly string[]): Prescreen {
  const known = new Uint8Array(FOUR + 1);
  for (const literal of LITERALS.join(' ').split(' ')) mark(known, literal);
  for (const name of names) mark(known, partOfName(name));
  for (const name of PROGRAM_NAMES) {
    if (!mayHold(`${name} `)) mark(known, `<${name}>`.slice(-4));
  }
  return mayHold;

  function mayHold(text: string): boolean {
    let four = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const kind = code < 128 ? (KIND[code] as number) : SPACE;
      four = ((four << 5) | kind) & FOUR;
      if (known[four] !== 0) return true;
    }
    return false;
  }
}

/** The end of its longest part without a star. */
function partOfName(name: string): string {
  const [longest = ''] = name.split('*').sort((a, b) => b.length - a.length);
  return longest.slice(-4).padStart(4, '?');
}

function mark(known: Uint8Array, literal: string): void {
  let places = [0];
  for (const char of literal) {
    // `-` and `_` are the same in names.
    const own =
      char === '-' || char === '_' ? [DASH, UNDERSCORE] : [KIND[char.charCodeAt(0)] ?? SPACE];
    const kinds = WILD.get(char) ?? own;
    places = places.flatMap((place) => kinds.map((kind) => place * KINDS + kind));
  }
  for (const place of places) known[place] = 1;
}

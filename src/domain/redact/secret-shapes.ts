/**
 * Secrets that are known by their own look, whatever stands before them: the tokens of services and
 * addresses of which the path is the secret.
 */

const HEX = '[a-f0-9]';
const SHAPES = [
  // Clouds.
  '(?:AKIA|ASIA)[A-Z0-9]{16}(?!\\w)',
  'AIza[\\w-]{35}(?![\\w-])',
  'ya29\\.[\\w-]{20,}',
  'GOCSPX-[\\w-]{20,}',
  `do[opr]_v1_${HEX}{64}`,
  // Code and packages.
  'gh[pousr]_[A-Za-z0-9]{20,}',
  'github_pat_\\w{20,}',
  'gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt)-[\\w-]{20,}',
  'npm_[A-Za-z0-9]{36}(?!\\w)',
  'pypi-[\\w-]{40,}',
  `rubygems_${HEX}{48}`,
  'dckr_(?:pat|oat)_[\\w-]{20,}',
  'ATATT3[\\w=-]{20,}',
  // Payment, mail, chat.
  '[rs]k_(?:live|test)_[A-Za-z0-9]{16,}',
  'whsec_[A-Za-z0-9+/=]{20,}',
  'SG\\.[\\w-]{16,}\\.[\\w-]{16,}',
  'xox[abeoprs]-[\\w-]{10,}',
  'xapp-\\d-[\\w-]{20,}',
  '\\d{8,10}:AA[\\w-]{32,}',
  '[MNO][\\w-]{23,27}\\.[\\w-]{6}\\.[\\w-]{27,}',
  // Models.
  'sk-(?=[\\w-]{0,200}\\d)[A-Za-z0-9][\\w-]{19,}',
  'hf_[A-Za-z0-9]{30,}',
  'gsk_[A-Za-z0-9]{40,}',
  // Operations.
  'hv[sbr]\\.[\\w-]{20,}',
  '[A-Za-z0-9]{14}\\.atlasv1\\.[\\w-]{60,}',
  'glsa_\\w{32,}',
  'tskey-[a-z]{2,12}-[\\w-]{10,}',
  `dapi${HEX}{32}`,
  `shp(?:at|ss|ca|pa)_${HEX}{32}`,
  'AGE-SECRET-KEY-1[A-Z0-9]{40,}',
  'eyJ[\\w-]{6,}\\.eyJ[\\w-]{6,}\\.[\\w-]*',
  'shp_[A-Za-z0-9-]+_[\\w-]{6,}',
  // A private key in base64: `-----BEGIN`, but not that of a certificate or a public key.
  'LS0tLS1CRUdJTi(?!BDRVJU|BQVUJMSUMg)[A-Za-z0-9+/]{20,}={0,2}',
];
export const KNOWN_TOKENS = new RegExp(`(?<![\\w-])(?:${SHAPES.join('|')})`, 'g');

/** Addresses whose path is the secret: what stands before it, and the secret. */
const ADDRESSES = [
  'hooks\\.slack(?:-gov)?\\.com/(?:services|workflows|triggers)/',
  '(?:\\w{2,8}\\.)?discord(?:app)?\\.com/api/(?:v\\d{1,2}/)?webhooks/',
  '[\\w.-]{1,80}\\.webhook\\.office\\.com/webhookb2/',
  'outlook\\.office(?:365)?\\.com/webhook/',
  'api\\.telegram\\.org/(?:file/)?bot',
  'hooks\\.zapier\\.com/hooks/',
  'maker\\.ifttt\\.com/trigger/[\\w-]{1,80}/(?:json/)?with/key/',
  'open\\.(?:feishu\\.cn|larksuite\\.com)/open-apis/bot/v\\d/hook/',
  'events\\.pagerduty\\.com/integration/',
  'hc-ping\\.com/',
  'webhook\\.site/',
  '[\\w.:-]{1,100}/hooks/(?=[A-Za-z0-9]{16})',
];
export const SECRET_ADDRESS = new RegExp(
  `(?<![\\w.-])((?:${ADDRESSES.join('|')}))(?!\\[redacted\\])([^\\s"'\`<>\\\\?#)\\]]{4,})`,
  'gi',
);
/** Signatures in addresses: of Azure, AWS and Google; keys of webhooks. */
export const SIGNATURE =
  /([?&;](?:sig|signature|x-amz-signature|x-goog-signature|x-amz-credential)=)([^&\s"'`;\\]{6,})/gi;
export const WEBHOOK_KEY =
  /(\/(?:webhook|messages|robot)[\w/]{0,40}\?(?:[\w=.&-]{0,200}&)?key=)([^&\s"'`\\]{6,})/gi;

/** How the tokens begin, at a word's beginning: literals there are what makes this cheap. */
const BEGINS =
  /\b(?:AKIA|ASIA|AIza|ya29|GOCSPX|do[opr]_v1|gh[pousr]_|github_pat|gl[a-z]{2,5}-|npm_|pypi-|rubygems_|dckr_|ATATT3|[rs]k_(?:live|test)_|whsec_|SG\.|xox|xapp-|sk-|hf_|gsk_|hv[sbr]\.|glsa_|tskey-|dapi[a-f0-9]|shp|AGE-SECRET|eyJ|LS0tLS1|[Bb]earer|BEARER)/;
const DOTTED = /\.[\w-]{6}\.[\w-]{27}/;
const USER_INFO = /:\/\/[^\s/]*@/;

/** Whether a secret can be there that has a look of its own; nearly every line has none. */
export function mayHoldShape(text: string): boolean {
  return (
    hasShapeOfItsOwn(text) || BEGINS.test(text) || text.includes(':AA') || text.includes('.atlasv1')
  );
}
/** One that no literal announces: an address with credentials, a token of two points. */
export function hasShapeOfItsOwn(text: string): boolean {
  return (text.includes('@') && USER_INFO.test(text)) || (text.length > 60 && DOTTED.test(text));
}
export const ADDRESS_HINT =
  /hook|telegram|ifttt|pagerduty|hc-ping|[?&;][\w-]{0,16}(?:sig|signature|credential|key)=/i;

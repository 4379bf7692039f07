/**
 * What a client makes of being told to come back: the answer that saves the data of one loses that
 * of another, so it is chosen by who asks. Measured with real programs; see docs/senders/elasticsearch.md.
 */

/**
 * `items`: 200, and each item says 429; these clients give a refused request back to their caller
 * or repeat it without a pause, but wait with single items. `unavailable`: 503, which these try
 * again. `request`: 429 with `Retry-After`, for shippers that keep their batch. `cut`: no answer at
 * all; rsyslog takes any JSON for a verdict on its batch, and any other text for half of one.
 */
export type Refusal = 'items' | 'unavailable' | 'request' | 'cut';

const REFUSALS: readonly [RegExp, Refusal][] = [
  [/^(elasticsearch-js|elasticsearch-py|elastic-java|opensearch-js|opensearch-py)\b/i, 'items'],
  [/^(go-elasticsearch|elasticsearch-perl|elasticsearch-ruby|elasticsearch-php)\b/i, 'unavailable'],
];

export function refusalFor(
  userAgent: string | undefined,
  contentType: string | undefined,
): Refusal {
  if (userAgent === undefined) {
    return contentType === 'application/json; charset=utf-8' ? 'cut' : 'request';
  }
  return REFUSALS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? 'request';
}

/** Fluent Bit repeats its chunk where every item of it was there already. */
export function takesConflictsForFailures(userAgent: string | undefined): boolean {
  return userAgent === undefined || /^fluent-?bit\b/i.test(userAgent);
}

/** The server's version that a client is told if it does not say its own. */
const DEFAULT_VERSION = '9.1.0';
const OWN_VERSION =
  /^(?:Elastic-[\w-]+|elasticsearch-(?:js|py|perl|ruby|php)|elastic-java|go-elasticsearch|Elastic-?beats|logstash)\/v?([789]\.\d{1,3}(?:\.\d{1,3})?)/i;

/** Filebeat and Logstash refuse a server that is older than they are. */
export function versionFor(userAgent: string | undefined): string {
  const own = OWN_VERSION.exec(userAgent ?? '')?.[1];
  if (own === undefined) return DEFAULT_VERSION;
  // Perl's is 8.00.
  const [major = 0, minor = 0, patch = 0] = own.split('.').map(Number);
  return `${major}.${minor}.${patch}`;
}

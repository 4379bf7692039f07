/** From failed host to failed host; from any other one, or none, to the first or the last of them. */
export function nextFailed(
  failedHosts: readonly string[],
  host: string | undefined,
  by: 1 | -1,
): string | undefined {
  const at = host === undefined ? -1 : failedHosts.indexOf(host);
  if (at < 0) return by > 0 ? failedHosts[0] : failedHosts.at(-1);
  return failedHosts[at + by];
}

/** A text that is too long, cut to `max` with a mark that says how long it was; others as they are. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const mark = ` … [cut, it had ${text.length.toLocaleString('en')} characters]`;
  const end = max - mark.length;
  // Not between the halves of a character.
  const half = /[\ud800-\udbff]/.test(text[end - 1] ?? '');
  return text.slice(0, half ? end - 1 : end) + mark;
}

/** Numbers as people read them, and what is counted in the form that its number takes. */

export function numberOf(value: number): string {
  return value.toLocaleString('en');
}

/** `1 host`, `2,000 hosts`, `1 new line`: what is counted is given as one of it. */
export function counted(count: number, one: string): string {
  return `${numberOf(count)} ${count === 1 ? one : `${one}s`}`;
}

/** Farther behind the log than so many events, views are late: a second or two of a flood. */
export const LAG_MAX = 25_000;

/**
 * Instants that fit the form and are no time: a month 00, a 30 February, a second 60. The CHECK of an instant column looks at the
 * form alone, and applications write some of them. An empty text counts as none, too.
 */

/** As SQL: SQLite reads the time and writes it again, and a true one comes back as it was. */
export const isNoTime = (column: string): string =>
  `strftime('%Y-%m-%dT%H:%M:%fZ', ${column}, '+0 seconds') IS NOT ${column}`;

/** As SQL, with the present instant as `?`: what is no time is due, because nothing would ever make it so. */
export const isDue = (column: string): string => `(${column} <= ? OR ${isNoTime(column)})`;

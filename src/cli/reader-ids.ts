/** `--readers u1,u2`: user ids of the application. Pure. */

export const readerIds = (text: string): string[] =>
  text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');

/** What the bench uses of a package without types. */
declare module 'mailsplit' {
  import type { Transform } from 'node:stream';
  export const Splitter: new () => Transform;
}

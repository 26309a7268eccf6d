/** In a file of its own: who only asks whether there is mail to read needs none of the reader. */

/** Raised whenever a mail that could not be read before may be readable now: those, and only those, are tried again. */
export const readerVersion = 1;

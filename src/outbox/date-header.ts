/** The Date field (RFC 5322 3.3), in UTC. Pure. */
export const dateHeader = (date: Date): string => date.toUTCString().replace(/GMT$/, '+0000');

/** What is known of the way to each host, shared by all tasks of a thread. */
import { createLink, type Link } from '../../imap/link.ts';

export function createLinks(): (host: string) => Link {
  const links = new Map<string, Link>();
  return (host) => {
    const link = links.get(host) ?? createLink();
    links.set(host, link);
    return link;
  };
}

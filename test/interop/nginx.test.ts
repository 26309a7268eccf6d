/** nginx's mail proxy before a Dovecot: the login is its own, and tells nothing of what the server behind it can do. */
import { startNginx } from '../support/nginx.ts';
import { interopSuite } from './suite.ts';

interopSuite({
  name: 'a mailbox behind nginx',
  start: startNginx,
  folderCount: 9,
  hostileCount: 17,
  hostileBytesMax: 300_000,
  killCount: 2,
});

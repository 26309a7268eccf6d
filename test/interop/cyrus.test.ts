/** Cyrus IMAP: CONDSTORE, QRESYNC, OBJECTID. It refuses mail with NUL, and whatever has no header. */
import { startCyrus } from '../support/cyrus.ts';
import { interopSuite } from './suite.ts';

interopSuite({ name: 'a mailbox on Cyrus', start: startCyrus, folderCount: 7, hostileCount: 19 });

/** Courier: neither CONDSTORE nor LIST-STATUS; flags and deletions come by full listings, everything lies under `INBOX.`. */
import { startCourier } from '../support/courier.ts';
import { interopSuite } from './suite.ts';

interopSuite({ name: 'a mailbox on Courier', start: startCourier, folderCount: 9, hostileCount: 25 });

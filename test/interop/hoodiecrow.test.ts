/** Hoodiecrow: an independent reading of IMAP4rev1; every folder has the UIDVALIDITY 1. */
import { startHoodiecrow } from '../support/hoodiecrow.ts';
import { interopSuite } from './suite.ts';

interopSuite({
  name: 'a mailbox on Hoodiecrow',
  start: startHoodiecrow,
  folderCount: 9,
  hostileCount: 13,
  hostileBytesMax: 3000,
});

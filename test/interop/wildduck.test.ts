/** WildDuck: CONDSTORE without QRESYNC, names in UTF-8. Its reader of mail runs out of stack on deep nesting. */
import { startWildDuck } from '../support/wildduck.ts';
import { interopSuite } from './suite.ts';

interopSuite({
  name: 'a mailbox on WildDuck',
  start: startWildDuck,
  folderCount: 9,
  hostileCount: 14,
  hostileBytesMax: 3000,
  killCount: 2,
});

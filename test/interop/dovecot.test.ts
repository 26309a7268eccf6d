/** Dovecot, which the live tests use without a link: here its CONDSTORE, QRESYNC and LIST-STATUS over 30 ms. */
import { startDovecot } from '../support/dovecot.ts';
import { interopSuite } from './suite.ts';

interopSuite({
  name: 'a mailbox on Dovecot',
  start: async () => {
    const dovecot = await startDovecot({ compress: true });
    return {
      ...dovecot,
      name: 'Dovecot',
      prefix: '',
      delimiter: '/',
      hasKeywords: true,
      keepsUidValidityOnRename: true,
      changeUidValidity: async (user, path) => {
        dovecot.doveadm('mailbox', 'update', '-u', user, '--uid-validity', '4711', path);
      },
    };
  },
  folderCount: 9,
  hostileCount: 25,
});

import { describeLogins } from './logins-contract.ts';
import { openInProcess, openThreaded } from './store-fixture.ts';

describeLogins('logins in a SQLite store in process', openInProcess);
describeLogins('logins in a SQLite store behind its thread', openThreaded);

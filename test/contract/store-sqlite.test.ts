import { describeStore } from './store-contract.ts';
import { openInProcess, openThreaded } from './store-fixture.ts';

describeStore('SQLite store in process', openInProcess);
describeStore('SQLite store behind its thread', openThreaded);

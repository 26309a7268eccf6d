import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqlite, sqlitePackage, sqlitePackageOf } from '../../../src/base/sqlite.ts';

const root = join(import.meta.dirname, '../../..');

describe('SQLite', () => {
  it('is the newest from Node-API 10 on (Node 22.14), and the last for Node 20 before', () => {
    expect(['8', '9', '10', '11'].map(sqlitePackageOf)).toEqual([
      'better-sqlite3-node20',
      'better-sqlite3-node20',
      'better-sqlite3',
      'better-sqlite3',
    ]);
  });

  it('opens, and tells what is wrong with a file in its own words', () => {
    expect(openSqlite(':memory:').prepare('SELECT 1 AS one').get()).toEqual({ one: 1 });
    expect(() => openSqlite('/nowhere/mail.db')).toThrow(TypeError);
  });

  it('outlives the collection of its statements in this Node', () => {
    const script = `
      const database = new (require('${sqlitePackage}'))(':memory:');
      for (let count = 0; count < 1000; count += 1) database.prepare('SELECT ' + count).get();
      gc();
      setTimeout(() => { gc(); console.log('alive'); }, 20);`;
    expect(execFileSync(process.execPath, ['--expose-gc', '-e', script], { cwd: root, encoding: 'utf8' })).toBe(
      'alive\n',
    );
  });
});

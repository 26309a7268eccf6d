/** Mail that breaks readers, and mail that is large, through a real Dovecot: stored byte for byte, in bounded memory. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { hostileMails } from '../support/hostile-mail.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { differences } from '../support/oracle.ts';

const mib = 1024 * 1024;

/** The high-water mark of a process's memory, as the kernel counts it. */
function watchPeak(pid: number | undefined): () => number {
  let peakMib = 0;
  const look = (): void => {
    try {
      const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      peakMib = Math.max(peakMib, Number(kib ?? 0) / 1024);
    } catch {
      // The process has just ended.
    }
  };
  const timer = setInterval(look, 10);
  return () => {
    clearInterval(timer);
    return peakMib;
  };
}

describe.runIf(hasDovecot())('a mailbox of hostile mail', () => {
  let dovecot: Dovecot;
  let installation: Installation;
  const add = async (user: string, raws: readonly Buffer[]): Promise<number> => {
    const client = await dovecot.client(user);
    await client.append(
      'INBOX',
      raws.map((raw) => ({ raw })),
    );
    await client.close();
    return installation.addAccount(dovecot.port, user);
  };
  const syncWatched = async (acntid: number): Promise<number> => {
    const { child, ended } = installation.start('sync', String(acntid));
    const peak = watchPeak(child.pid);
    expect(await ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
    return peak();
  };

  beforeAll(async () => {
    dovecot = await startDovecot();
    installation = createInstallation();
  });
  afterAll(async () => {
    await dovecot.stop();
    installation.remove();
  });

  it('is stored byte for byte, with header fields that are valid text', async () => {
    const mails = hostileMails();
    const acntid = await add(
      'hostile',
      mails.map(({ raw }) => raw),
    );
    const peakMib = await syncWatched(acntid);
    expect(differences(installation, acntid, await dovecot.listing('hostile'))).toEqual([]);
    expect(installation.query('SELECT uid FROM email_quarantine')).toEqual([]);
    const bad = `SELECT id FROM email_contents WHERE instr(subject, char(0)) OR typeof(subject) NOT IN ('text', 'null')
      OR NOT json_valid(from_addresses) OR NOT json_valid(to_addresses) OR length(to_addresses) > 1000000`;
    expect(installation.query(bad)).toEqual([]);
    expect((await installation.command('verify', String(acntid), '--deep')).code).toBe(0);
    expect((await installation.command('message', 'list', '--account', String(acntid))).code).toBe(0);
    expect(peakMib).toBeLessThan(300);
  });

  it('of 50 MB is stored in less than 400 MB of memory', async () => {
    const line = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU2Nzg5QUJDREVGR0hJSktMTU5PUFFSU1Q=\r\n';
    const raw = Buffer.from(`Subject: large\r\n\r\n${line.repeat((50 * mib) / line.length)}`);
    const acntid = await add('large', [raw, Buffer.from('Subject: small\r\n\r\nx'), raw.subarray(0, 9 * mib)]);
    const peakMib = await syncWatched(acntid);
    expect(differences(installation, acntid, await dovecot.listing('large'))).toEqual([]);
    expect(peakMib).toBeLessThan(400);
  });

  it.each([
    ['9 MiB', 9 * mib, 1],
    ['64 KiB', 64 * 1024, 2],
  ])('above a limit of %s is quarantined with its headers', async (_, limit, count) => {
    const small = createInstallation({ EMAIL_MAX_MESSAGE_BYTES: limit });
    const acntid = await small.addAccount(dovecot.port, 'large');
    expect(await small.run('sync', String(acntid))).toMatchObject({ code: 0, stderr: '' });
    const rows = small.query<{ raw: Buffer; error: string }>('SELECT raw, error FROM email_quarantine');
    expect(rows.map(({ raw, error }) => [raw.toString().slice(0, 14), error.split(':')[0]])).toEqual(
      Array.from({ length: count }, () => ['Subject: large', 'message_too_large']),
    );
    expect((await small.command('verify', String(acntid))).code).toBe(0);
    small.remove();
  });
});

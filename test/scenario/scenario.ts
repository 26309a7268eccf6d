/** The frame of every scenario: a fake server, an installation with one account on it, passes, and the oracle. */
import { expect, onTestFinished } from 'vitest';
import { type FakeImapServer, type FakeOptions, startFakeImap } from '../support/fake-imap-server.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';
import { differences, mailRows, rowChanges } from '../support/oracle.ts';

export interface Scenario {
  readonly server: FakeImapServer;
  readonly installation: Installation;
  readonly acntid: number;
  sync(...options: '--full'[]): Promise<Outcome>;
  /** What a store that is no true copy differs in. */
  differences(): string[];
  /** The server behaves again; the administrator's `message retry` for each. */
  retryQuarantined(): Promise<void>;
  /** A clean pass ends in a true copy, and another one writes nothing. */
  expectTrueCopy(): Promise<void>;
  /** A recent and a full pass change no row of the mail tables. */
  expectIdle(): Promise<void>;
  accountState(): { state: string; last_error: string | null; retry_at: string | null };
}

/** Seconds: a silent server is given up soon, so that scenarios end. */
const networkTimeout = 2;

/** `onFinished`: of a test that runs beside others, which has to say which one it is. */
export async function startScenario(
  options: FakeOptions,
  config: Record<string, unknown> = {},
  onFinished: (clean: () => Promise<void>) => void = onTestFinished,
): Promise<Scenario> {
  const server = await startFakeImap(options);
  const installation = createInstallation({ EMAIL_NETWORK_TIMEOUT: networkTimeout, ...config });
  onFinished(async () => {
    await installation.endPasses();
    await server.stop();
    installation.remove();
  });
  const acntid = await installation.addAccount(server.port, 'anna');
  const sync = (...more: '--full'[]): Promise<Outcome> => installation.sync(acntid, ...more);
  const expectNoChange = async (...more: '--full'[]): Promise<void> => {
    const before = mailRows(installation);
    expect(await sync(...more)).toMatchObject({ code: 0, stderr: '' });
    expect(rowChanges(before, mailRows(installation))).toEqual([]);
  };
  return {
    server,
    installation,
    acntid,
    sync,
    differences: () => differences(installation, acntid, server.listing()),
    async retryQuarantined() {
      server.script = undefined;
      const rows = installation.query<{ emfdid: number }>('SELECT DISTINCT emfdid FROM email_quarantine');
      for (const { emfdid } of rows) await installation.command('message', 'retry', String(emfdid));
    },
    async expectTrueCopy() {
      server.script = undefined;
      const outcome = await sync('--full');
      expect(outcome).toMatchObject({ code: 0, stderr: '', stdout: '' });
      expect(differences(installation, acntid, server.listing())).toEqual([]);
      await expectNoChange('--full');
    },
    async expectIdle() {
      await expectNoChange();
      await expectNoChange('--full');
    },
    accountState: () => {
      const [row] = installation.query<{ state: string; last_error: string | null; retry_at: string | null }>(
        'SELECT state, last_error, retry_at FROM email_accounts WHERE acntid = ?',
        acntid,
      );
      if (!row) throw new Error('no account');
      return row;
    },
  };
}

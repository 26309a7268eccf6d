/** BG_MAX_BYTES_PER_DAY_PER_ACCOUNT: providers lock accounts that fetch too much (Gmail: 2,500 MB a day). */
import { describe, expect, it } from 'vitest';
import { folder, message } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

const bodyBytes = 300_000;
const large = (uid: number) =>
  message(uid, 'INBOX', { raw: Buffer.from(`Subject: ${uid}\r\n\r\n${'x'.repeat(bodyBytes)}`) });

describe('an account that has fetched what a day allows', () => {
  it('keeps what came, says until when it rests, and asks the server for nothing before', async () => {
    const inbox = folder('INBOX', 0, {
      uidNext: 801,
      messages: Array.from({ length: 800 }, (_, index) => large(index + 1)),
    });
    const scenario = await startScenario({ folders: [inbox] }, { BG_MAX_BYTES_PER_DAY_PER_ACCOUNT: 10 * 1024 * 1024 });
    const outcome = await scenario.sync();
    expect(outcome.code).toBe(75);
    const stored =
      scenario.installation.query<{ count: number }>('SELECT COUNT(*) AS count FROM email_messages')[0]?.count ?? 0;
    // The newest window is finished, and no other is begun.
    expect(stored).toBe(200);
    const { last_error, retry_at } = scenario.accountState();
    expect(last_error).toMatch(/^daily_bytes_spent/);
    expect(Date.parse(retry_at ?? '')).toBeGreaterThan(Date.now());
    const asked = scenario.server.commands.length;
    expect((await scenario.installation.run('run', '--once')).code).toBe(0);
    expect(scenario.server.commands).toHaveLength(asked);
  });
});

/** What a pass leaves behind with its account: well, waiting for an operator, or backed off. */
import { toInstant } from '../base/clock.ts';
import type { ErrorRecord } from '../base/errors.ts';
import type { Account } from '../store/store.ts';
import { accountBackoff } from './backoff.ts';
import type { PassReport, Ports } from './pass.ts';

export async function recordHealthy(ports: Ports, account: Account, report: PassReport): Promise<void> {
  const lastError = report.folders.find((folder) => folder.error)?.error;
  await ports.store.recordHealth(account.acntid, {
    state: 'ok',
    lastError: lastError ? `${lastError.code}: ${lastError.detail}` : null,
    retryAt: null,
    checkedAt: toInstant(ports.clock()),
    failureCount: 0,
  });
}

export async function recordFailure(ports: Ports, account: Account, failure: ErrorRecord): Promise<void> {
  const { failureCount, retryAtMs } = accountBackoff(failure, {
    failureCount: account.failureCount,
    operatorWaitMs: ports.limits.authRetrySeconds * 1000,
    nowMs: ports.clock().getTime(),
  });
  ports.log.warn(`${failure.code}: ${failure.detail}`, { acntid: account.acntid });
  await ports.store.recordHealth(account.acntid, {
    state: waitsForPassword(failure) ? 'auth_error' : 'backoff',
    lastError: `${failure.code}: ${failure.detail}`,
    retryAt: toInstant(new Date(retryAtMs)),
    checkedAt: toInstant(ports.clock()),
    failureCount,
  });
}

/** A key file that can't be read is mended for all at once, and no password helps. */
const waitsForPassword = ({ code, scope }: ErrorRecord): boolean =>
  code === 'auth_failed' || code === 'no_password' || (code === 'secret_unreadable' && scope !== 'process');

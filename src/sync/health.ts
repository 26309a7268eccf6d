/** What a pass leaves behind with its account: well, waiting for an operator, or backed off. */
import { toInstant } from '../base/clock.ts';
import type { ErrorRecord } from '../base/errors.ts';
import type { Account } from '../store/store.ts';
import { retryAtMs } from './backoff.ts';
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

/** Credentials and certificates wait for an operator and are tried seldom; everything else backs off. */
export async function recordFailure(ports: Ports, account: Account, failure: ErrorRecord): Promise<void> {
  const nowMs = ports.clock().getTime();
  const failureCount = account.failureCount + 1;
  const isAuth =
    failure.code === 'auth_failed' || failure.code === 'no_password' || failure.code === 'secret_unreadable';
  const waitMs = failure.remedy === 'wait-operator' ? ports.limits.authRetrySeconds * 1000 : 0;
  const retryAt = toInstant(new Date(Math.max(nowMs + waitMs, retryAtMs(failure, failureCount, nowMs))));
  ports.log.warn(`${failure.code}: ${failure.detail}`, { acntid: account.acntid });
  await ports.store.recordHealth(account.acntid, {
    state: isAuth ? 'auth_error' : 'backoff',
    lastError: `${failure.code}: ${failure.detail}`,
    retryAt,
    checkedAt: toInstant(ports.clock()),
    failureCount,
  });
}
